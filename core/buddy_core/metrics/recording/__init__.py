"""How things come to be counted: checked, one by one or by the column; and who is told of them."""
