"""Test commands of a run on the screen: what they would do, the word for each, and what they print when run again."""
