"""Time travel: the runs of a directory as they stood at an earlier moment, with every number of then."""
