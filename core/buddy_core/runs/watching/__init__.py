"""Which runs there are, which have changed, and whose writer still lives."""
