"""A runs directory as it is now and as it changes: everything read once, told to a collector, and followed."""
