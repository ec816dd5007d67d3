"""Two runs side by side: their tool calls aligned, where they part, and what the difference cost."""
