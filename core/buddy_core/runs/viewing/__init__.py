"""One run or many for pipes and programs: in plain text, and as entries of a JSON document."""
