"""The archive of kept runs on the screen: listed, opened and added to in a thread of its own."""
