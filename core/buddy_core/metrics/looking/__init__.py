"""What is made of it for whoever looks: windows, tables, trends, intervals."""
