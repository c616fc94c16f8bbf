"""Proposers that fit a model to the scores: Optuna's TPE, and a Gaussian process."""
