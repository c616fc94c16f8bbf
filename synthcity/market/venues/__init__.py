"""Where the network's prices are made: one file a venue, with its symbols, limits, habits and pauses."""
