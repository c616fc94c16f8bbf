"""A run as experiment trackers show it: sinks of the journal's events, from which they can always be told again."""
