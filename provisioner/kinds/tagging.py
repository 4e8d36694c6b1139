"""The Resource Groups Tagging API: whatever still bears the stack's tags, of any service."""

from __future__ import annotations

from provisioner.engine.clients import Clients
from provisioner.names import MANAGER, PROJECT

# CloudFront, its certificates, logs and firewall live here whatever the stack's region.
GLOBAL_REGION = "us-east-1"


def bearing(clients: Clients, suffix: str) -> list[str]:
    """ARNs that bear our tags, in the stack's region and in us-east-1.

    The index lags: it may still tell of what was deleted minutes ago.
    """
    wanted = {"Project": PROJECT, "Environment": suffix, "ManagedBy": MANAGER}
    filters = [{"Key": key, "Values": [value]} for key, value in wanted.items()]
    found: set[str] = set()
    for region in {clients.aws.region, GLOBAL_REGION}:
        tagging = clients.client("resourcegroupstaggingapi", region)
        told = tagging.get_resources(TagFilters=filters)["ResourceTagMappingList"]
        found |= {resource["ResourceARN"] for resource in told}
    return sorted(found)
