"""Each command of the command line: its main path, and what happens where it cannot be done."""
