"""What GuardDuty's Runtime Monitoring puts into a VPC, and when it puts it there again.

Names and tag: hashicorp/terraform-provider-aws#46747, #46953. Neither goes with the tasks, nor with the VPC
(GuardDuty user guide, runtime-monitoring-agent-resource-clean-up); the tag that leaves a cluster out: ECS
developer guide, ecs-guard-duty-manage-subset.
"""

from __future__ import annotations

from provisioner.engine.refs import Doc
from provisioner.kinds.tags import mapping

_GROUP, _SERVICE, _TAG = "GuardDutyManagedSecurityGroup-", ".guardduty-data", "GuardDutyManaged"


def is_guard_dutys(doc: Doc) -> bool:
    """Return whether an endpoint or a group, as AWS describes it, is GuardDuty's own."""
    return (
        str(doc.get("GroupName", "")).startswith(_GROUP)
        or str(doc.get("ServiceName", "")).endswith(_SERVICE)
        or mapping(doc.get("Tags") or []).get(_TAG) == "true"
    )


# What a person has to know before deleting it. The tag comes by the settings: an apply takes others off.
COMES_AGAIN = (
    "GuardDuty makes its endpoint and group again with the next task here while Runtime Monitoring is on: "
    "delete the endpoint, then the group, once no task runs. Or leave the cluster out first: "
    f"{_TAG}=false among the setting `tags`, and an apply; or GuardDuty's automated agent for Fargate turned "
    "off, which in an organisation its administrator does"
)
