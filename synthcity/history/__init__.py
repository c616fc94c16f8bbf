"""Past runs from wherever they lie, as rows of one kind; loads neither torch nor Ray."""
