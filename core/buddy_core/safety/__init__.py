"""What stands between hostile input and a person's terminal, files and secrets."""
