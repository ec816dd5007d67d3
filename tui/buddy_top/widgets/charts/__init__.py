"""Pictures of numbers: over time, by how they spread, and beside one big one."""
