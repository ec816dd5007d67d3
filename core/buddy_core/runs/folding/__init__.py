"""From records to numbers: one run's events counted, its facts concluded, every run known once."""
