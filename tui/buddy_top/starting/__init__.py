"""From arguments to a screen: what is settled about the process before anything is drawn."""
