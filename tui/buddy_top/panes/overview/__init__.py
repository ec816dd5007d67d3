"""The first tab: whether all is right, at one look."""
