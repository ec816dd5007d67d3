"""What is looked at, one subject a file: each says what it found, and what to do about it."""
