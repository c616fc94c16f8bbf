"""What answers were worth: scores, averages, ranks, and whether a challenger takes over."""
