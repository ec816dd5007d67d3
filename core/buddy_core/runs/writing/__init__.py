"""One run while it is written: its lock, its events line by line, its small files, and the way to the disk."""
