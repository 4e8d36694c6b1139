"""The command line, in whole processes where a user meets a process."""
