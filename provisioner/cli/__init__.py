"""The command line: what can be typed, each command a few lines that call what does it."""
