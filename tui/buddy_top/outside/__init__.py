"""Other programs in the monitor's terminal: the user's pager and editor, on copies that hold nothing they could obey."""
