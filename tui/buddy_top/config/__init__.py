"""What the user has chosen: flags, environment, a TOML file of their own, and what the screen was left at."""
