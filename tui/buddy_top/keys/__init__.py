"""What keys do: what a command is, the commands by subject, and how what is typed reaches them."""
