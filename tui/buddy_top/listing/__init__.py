"""The list of runs at any size: what the screen asks of it, and how that is answered."""
