"""The emulator of ECS on Fargate: services, their rollouts and their tasks."""
