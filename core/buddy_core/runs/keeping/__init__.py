"""Runs that are kept: copied out of reach of pruning, compressed, checksummed, and read back like the others."""
