"""Research beside the trials of a search: what it works on, its thread, and what becomes of what it keeps."""
