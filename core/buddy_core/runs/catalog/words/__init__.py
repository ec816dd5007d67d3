"""The full text of a catalog: the words of each run, and three ways to find which runs may have some."""
