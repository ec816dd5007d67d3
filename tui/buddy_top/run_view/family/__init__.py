"""A run among its forks."""
