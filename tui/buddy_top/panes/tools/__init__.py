"""The tab of tools, and one of them in depth."""
