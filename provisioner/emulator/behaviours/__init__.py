"""AWS's behaviours that moto lacks: latency, eventual consistency, and refusals that depend on state."""

from provisioner.emulator.behaviours import (  # noqa: F401  # importing them registers their hooks
    balancers,
    certificates,
    databases,
    deliveries,
    distributions,
    health_checks,
    iam,
    image_pulls,
    interfaces,
    keys,
    lag,
    nat_gateways,
    networks,
    services,
    tables,
    task_starts,
    vpc_endpoints,
    vpc_origins,
    web_acls,
)
