"""The tab of errors by kind, and one of them in depth."""
