"""How ECS does it: cluster, task definition and service."""
