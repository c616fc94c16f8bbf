"""What stands in for the Hub in a rehearsal."""
