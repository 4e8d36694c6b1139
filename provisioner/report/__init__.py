"""What a report says: the health of each resource, its place in the diagram, and the stack's protections."""
