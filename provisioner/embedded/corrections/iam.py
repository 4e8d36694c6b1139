"""IAM: service-linked roles by their real names, and AWS's word for one that is there already."""

from __future__ import annotations

from provisioner.embedded.hooks import AwsError, Reply, always
from provisioner.embedded.inner import backend, do
from provisioner.embedded.wire import Call

# AWS doc, using service-linked roles, of each service; moto derives names that differ in case.
SERVICE_ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "wafv2.amazonaws.com": "AWSServiceRoleForWAFV2Logging",
    "vpcorigin.cloudfront.amazonaws.com": "AWSServiceRoleForCloudFrontVPCOrigin",
}


@always.before("iam", "CreateServiceLinkedRole")
def create_service_role(call: Call) -> Reply | None:
    """Refuse a second one: cube-js/cube#11581 shows the message; make the first under its name."""
    service = call.params["AWSServiceName"]
    name = SERVICE_ROLES.get(service)
    if name is None:
        return None
    iam = backend("iam", call.account, "aws")
    if any(role.name == name for role in iam.roles.values()):
        raise AwsError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
        )
    made = do(call, "iam", "CreateServiceLinkedRole", **call.params)["Role"]
    role = next(role for role in iam.roles.values() if role.name == made["RoleName"])
    role.name = name
    return {"Role": do(call, "iam", "GetRole", RoleName=name)["Role"]}
