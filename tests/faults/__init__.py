"""Every fault at every call: after any of them, the same command run again ends as if there had been none."""
