"""What a run's files say, as values: the strict form that writers use, and a forgiving one for everything else."""
