"""The tab of providers and models, and one of them in depth."""
