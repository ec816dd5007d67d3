"""The catalog: an index of all runs of a directory, for pages, filters and full text at any size."""
