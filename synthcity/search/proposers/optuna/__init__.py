"""Proposers that ask one of Optuna's samplers."""
