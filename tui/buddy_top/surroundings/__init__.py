"""What the program finds where it runs: terminal, limits, rights, caches, settings. It only looks."""
