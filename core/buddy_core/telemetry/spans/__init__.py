"""Events in, spans out: what is taken of an event, which span it opens, ends or adds to, and under which id."""
