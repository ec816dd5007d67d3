"""The monitor and the command line, built on `buddy_core`."""
