"""What the monitor itself uses: measured while it is shown, and not at all while it is not."""
