"""Forecasters without torch: the protocol, statistical baselines, mixing, backtest, bundles."""
