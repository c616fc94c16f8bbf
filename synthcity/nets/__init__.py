"""Networks: blocks, heads, the score as loss, training."""
