"""Where moto answers wrongly: one module a service, each correction with its source beside it."""

from provisioner.embedded.corrections import (
    rds_clusters,
    rds_instances,
    rds_subnet_groups,
    rds_versions,
)

__all__ = [
    "rds_clusters",
    "rds_instances",
    "rds_subnet_groups",
    "rds_versions",
]
