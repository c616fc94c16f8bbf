"""What the bridge can do: each module lists its ``OPERATIONS``, and nothing else names them."""
