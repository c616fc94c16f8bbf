"""Heads, one a file: latent sequence and known-future covariates -> a law of log-return paths in anchor units."""
