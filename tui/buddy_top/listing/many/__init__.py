"""Very many runs: their catalog, kept current and asked in threads of their own."""
