"""Databases that may be thrown away at any time: opened by one writer and any number of readers, and never believed."""
