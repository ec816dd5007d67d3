"""What is counted and kept: buckets of time, sketches, the newest errors and calls, and the ledger of it all."""
