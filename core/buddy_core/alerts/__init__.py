"""Rules that say when somebody should look: over live runs while they happen, and over stored ones afterwards."""
