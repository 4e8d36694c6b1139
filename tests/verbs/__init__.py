"""Every verb of the command line: its main path, and what a tired person meets where it cannot be."""
