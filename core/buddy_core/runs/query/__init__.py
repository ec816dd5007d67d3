"""The filter language of the list of runs: parsed, checked, completed, evaluated."""
