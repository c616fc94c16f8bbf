"""What happened, as events on the disk, and what follows from them: the history and the progress of a run."""
