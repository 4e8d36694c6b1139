"""The command line: what can be typed; each command is a few lines that call the code which does it."""
