"""The files of a run as they stand."""
