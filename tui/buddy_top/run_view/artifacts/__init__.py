"""What a run left behind, as text."""
