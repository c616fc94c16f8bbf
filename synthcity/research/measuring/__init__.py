"""The test of an input: what a baseline expected, a drawn regression, laws, and the score with and without."""
