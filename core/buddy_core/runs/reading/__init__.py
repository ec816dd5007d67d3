"""From bytes in any state to records: lines, salvage, growing files, raw files, and whole runs read at once."""
