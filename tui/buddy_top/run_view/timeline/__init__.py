"""Every event of a run on a line of its own, and one event in full."""
