"""From rows to a table: what each column shows, and what it is sorted by."""
