"""One run or many as people read them, in plain text."""
