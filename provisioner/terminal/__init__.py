"""What a person sees: the plan, the progress, the tables; data on stdout, all else on stderr."""
