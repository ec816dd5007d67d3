"""How things look: inks, themes and signs, numbers as words, and texts cut to columns of the screen."""
