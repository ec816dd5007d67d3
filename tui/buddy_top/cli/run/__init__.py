"""`buddy-top run …`: the commands about recorded runs, one a file, and how they find the runs they are about."""
