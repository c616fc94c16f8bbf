"""A forecaster that knows what a library keeps: ``har``, whose steps are as volatile as kept inputs say."""
