"""The terminal dashboard of the library: a collector as aligned plain text."""
