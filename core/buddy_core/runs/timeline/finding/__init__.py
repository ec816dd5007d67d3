"""Rows of a timeline that are asked for: what a filter means, and where in the index they are."""
