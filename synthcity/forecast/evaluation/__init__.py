"""How good forecasters are: backtests, paired intervals, calibration, and what is told of them."""
