"""The numbers of one run over its time: what it spent when, and where its time went."""
