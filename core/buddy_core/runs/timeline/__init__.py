"""A run's events as the rows that people read: a call and its result are one, steps indent what is inside them."""
