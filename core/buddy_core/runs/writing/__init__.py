"""What an agent records with: the store, one run while it is written, and what is done with old ones."""
