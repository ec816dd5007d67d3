"""The command line: its grammar, its commands, one a file, and what all of them share."""
