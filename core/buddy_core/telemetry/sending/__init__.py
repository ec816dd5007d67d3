"""What leaves, and how: bounded queues, masking, and one post with one deadline."""
