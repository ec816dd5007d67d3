"""The frame around whatever pane is on the screen: header, tabs, footer, style sheets, and what is laid over it."""
