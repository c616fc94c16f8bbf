"""The pages for people: rendered here, with a style sheet and a small script of the package, nothing from elsewhere."""
