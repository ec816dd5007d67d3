"""What an agent records with: the store, its runs that are open, and whoever listens to it."""
