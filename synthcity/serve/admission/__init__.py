"""Who may ask, and what is a question: all that is decided before a price is looked at."""
