"""The endpoint and group that GuardDuty's Runtime Monitoring adds to a VPC, and when it adds them again.

Names and tag: hashicorp/terraform-provider-aws#46747, #46953. Neither is deleted with the tasks or the VPC
(GuardDuty user guide, runtime-monitoring-agent-resource-clean-up). The tag that excludes a cluster: ECS
developer guide, ecs-guard-duty-manage-subset.
"""

from __future__ import annotations

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.tags import mapping

_GROUP, _SERVICE, _TAG = "GuardDutyManagedSecurityGroup-", ".guardduty-data", "GuardDutyManaged"


def is_guard_dutys(actual: JsonObject) -> bool:
    """Return whether GuardDuty made this endpoint or security group (as AWS describes it)."""
    return (
        str(actual.get("GroupName", "")).startswith(_GROUP)
        or str(actual.get("ServiceName", "")).endswith(_SERVICE)
        or mapping(actual.get("Tags") or []).get(_TAG) == "true"
    )


# The note to show before somebody deletes them. The tag must come from the settings: an apply removes other
# tags from the cluster.
COMES_AGAIN = (
    "GuardDuty makes its endpoint and group again with the next task here while Runtime Monitoring is on: "
    "delete the endpoint, then the group, once no task runs. Or leave the cluster out first: "
    f"{_TAG}=false among the setting `tags`, and an apply; or GuardDuty's automated agent for Fargate turned "
    "off, which in an organisation its administrator does"
)
