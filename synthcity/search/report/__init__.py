"""What a search tells in the end, as data and as a page."""
