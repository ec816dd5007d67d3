"""Words found in what runs recorded: what is looked for, and where it stands in events and artifacts."""
