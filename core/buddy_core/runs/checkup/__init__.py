"""The examinations behind `doctor`: of a runs directory, of a run's files, and of its events. All only read."""
