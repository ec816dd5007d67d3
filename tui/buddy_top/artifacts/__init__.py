"""Artifacts as people read them: text laid out for a width, elsewhere than on the thread that draws."""
