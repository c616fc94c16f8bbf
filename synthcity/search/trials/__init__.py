"""From an admitted candidate to its scores: the queue, Ray Tune, and the function that a worker runs."""
