"""`status`: health by topic."""
