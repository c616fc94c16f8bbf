"""Where prices come from: one file a venue behind one small interface."""
