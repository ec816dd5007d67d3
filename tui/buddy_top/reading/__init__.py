"""What is read of one run while it is on the screen, in threads that hold up no picture."""
