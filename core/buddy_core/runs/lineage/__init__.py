"""Which runs were forked from which, and what that cost together."""
