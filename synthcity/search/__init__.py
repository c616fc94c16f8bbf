"""The search: typed space, gate, proposers, portfolio, Ray Tune searcher, run, report."""
