"""Where a number comes from: measured, derived or estimated, from which files, of how many samples, and what is missing."""
