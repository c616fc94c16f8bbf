"""What may be trained: candidates, the typed space they come from, and how they are written down."""
