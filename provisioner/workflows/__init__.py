"""What each command does, from the stack's name to the exit code; `cli.py` only parses and calls these."""
