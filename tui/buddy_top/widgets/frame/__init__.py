"""The lines around every pane: header, tabs and footer."""
