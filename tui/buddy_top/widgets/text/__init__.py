"""Inked text in lines: as many as there are room for, or any number, wrapped and scrolled."""
