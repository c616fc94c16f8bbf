"""Price history: Parquet store, sources, simulated market, calendar covariates, windows."""
