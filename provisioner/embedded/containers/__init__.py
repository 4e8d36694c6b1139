"""The box's container engine: services, their rollouts and their tasks, as ECS on Fargate keeps them."""
