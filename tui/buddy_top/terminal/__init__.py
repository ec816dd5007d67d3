"""The terminal: what is written to it, what it sends, and that it comes back as it was."""
