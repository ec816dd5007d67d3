"""The one table of the monitor: its rows, its columns, and cells that draw numbers."""
