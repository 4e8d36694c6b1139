"""How long a run takes, and the critical path through its graph."""
