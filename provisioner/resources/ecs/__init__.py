"""The resource types of ECS (cluster, task definition, service) and the calls that commands make to ECS."""
