"""Ray: a private cluster on this machine that leaves nothing behind, or one of several nodes that a file describes."""
