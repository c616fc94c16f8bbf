"""From the best candidates to a winner and the one look at the test period."""
