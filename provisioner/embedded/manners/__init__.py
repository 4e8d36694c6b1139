"""AWS's manners: things take time, refuse, linger and hide for a moment."""

from provisioner.embedded.manners import (
    balancers,
    databases,
    distributions,
    health_checks,
    interfaces,
    keys,
    lag,
    nat_gateways,
    networks,
    service_roles,
    services,
    tables,
    task_starts,
    vpc_endpoints,
    web_acls,
)

__all__ = [
    "balancers",
    "databases",
    "distributions",
    "health_checks",
    "interfaces",
    "keys",
    "lag",
    "nat_gateways",
    "networks",
    "service_roles",
    "services",
    "tables",
    "task_starts",
    "vpc_endpoints",
    "web_acls",
]
