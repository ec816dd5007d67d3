"""Run directories: their names, records, reading, following and writing."""
