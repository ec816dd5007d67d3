"""What is done with old runs: which are over, how they leave, and what a crash left lying about."""
