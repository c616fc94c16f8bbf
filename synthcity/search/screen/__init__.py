"""What a person sees of a search while it runs, and its last lines."""
