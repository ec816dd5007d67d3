"""Which runs there are, which have changed and whose writer still lives; and one run followed to its end."""
