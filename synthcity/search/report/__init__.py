"""What people look at: the live view, the last lines of a search, and its report as a page and as data."""
