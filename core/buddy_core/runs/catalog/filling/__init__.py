"""How a catalog comes to say what the files say: what has changed is read, and written in small pieces."""
