"""The report's plots: how they look, and what each of them shows."""
