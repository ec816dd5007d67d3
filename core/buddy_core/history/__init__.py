"""What runs brought, kept in a small SQLite file after their directories are gone: a cache, never a truth.

A run whose directory exists is read from its files; only of the others does the history tell. So nothing is
counted twice, and throwing the file away loses no more than what no file can tell any longer.
"""
