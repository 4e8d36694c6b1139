"""The output on the terminal: plan, progress, tables. Data goes to stdout, everything else to stderr."""
