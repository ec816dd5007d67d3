"""A timeline's index: where the events of a long run stand and which rows they make, as its file grows."""
