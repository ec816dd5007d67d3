"""How things come to be counted: checked, one by one or by the column, with prices and listeners."""
