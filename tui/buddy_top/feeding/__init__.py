"""What the feed is made of: taking one snapshot, holding it still, and when the next is due."""
