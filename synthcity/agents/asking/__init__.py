"""One question to a server: which model, in which dialect, with what patience, and how its answer is read."""
