"""Simulated markets with a planted truth that no packaged input knows, to measure who finds it."""
