"""Every fault at every call: whatever strikes a run, the same command again ends as if nothing had."""
