"""Trackers by name, each driven in a process of its own; nothing of synthcity's is loaded there."""
