"""From a question to the bytes of its answer, and the record of it."""
