"""Artifacts: the files an agent leaves beside its events; their names, their kinds, and reading them."""
