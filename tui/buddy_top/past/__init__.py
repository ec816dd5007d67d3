"""Time travel on the screen: where one stands, how it plays, and the thread that reads what stood there."""
