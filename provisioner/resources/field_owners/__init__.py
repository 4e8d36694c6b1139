"""Field ownership: who owns each member that AWS returns of a resource, in one table a resource type."""
