"""Research: inputs that packaged features do not know, found by a language model or by chance, judged without noise.

An input is tested by what it adds to the volatility that a baseline expects (``measuring``), on folds for finding; what
is claimed is asked once of a fold for confirming (``claims``), and every look stands in a lab book (``labbook``).
"""
