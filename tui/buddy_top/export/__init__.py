"""What leaves the program: copies, tables, pictures, with secrets masked, and the JSON documents of screen and shell."""
