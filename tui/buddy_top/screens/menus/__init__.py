"""Short lists to choose one thing from."""
