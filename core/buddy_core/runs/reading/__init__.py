"""From bytes in any state to records: lines, salvage, growing files, raw files, and the small files beside them."""
