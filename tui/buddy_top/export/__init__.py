"""What leaves the screen: copies, tables, documents and pictures, with secrets masked."""
