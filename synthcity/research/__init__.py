"""Research: inputs and forecasters that are not packaged, found by a language model or by chance, judged in pairs.

An input is tested by what it adds to the volatility that a baseline expects, a forecaster by the network's score
(``measuring``), on folds for finding; what is claimed is asked once of a fold for confirming (``claims``), and every
look stands in a lab book (``labbook``).
"""
