"""Service-linked roles: the first use of a service creates its role; ECS and RDS refuse that first call."""

from __future__ import annotations

from provisioner.emulator.answers import AwsError
from provisioner.emulator.hooks import manners
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.iam import SERVICE_ROLES, create_service_role
from provisioner.emulator.wire import Call, compose

FIRST_USES = {
    ("ecs", "CreateCluster"): "ecs.amazonaws.com",
    ("elbv2", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com",
    ("rds", "CreateDBSubnetGroup"): "rds.amazonaws.com",
    ("rds", "CreateDBCluster"): "rds.amazonaws.com",
    ("cloudfront", "CreateVpcOrigin"): "vpcorigin.cloudfront.amazonaws.com",
    ("application-autoscaling", "RegisterScalableTarget"): "ecs.application-autoscaling.amazonaws.com",
}
# terraform-provider-aws ecs/cluster.go; terraform-aws-modules/terraform-aws-rds#364.
NOT_YET = {
    "ecs": AwsError(
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
    "rds": AwsError(
        "InvalidParameterValue",
        "Unable to create the resource. Verify that you have permission to create service linked role."
        " Otherwise wait and try again later.",
    ),
}


def _first_use(call: Call) -> None:
    """Create the service-linked role if it is missing; then ECS and RDS also refuse the call."""
    principal = FIRST_USES[call.service, call.operation]
    roles = backend("iam", call.account, "aws").roles.values()
    if any(role.name == SERVICE_ROLES[principal] for role in roles):
        return
    create_service_role(compose("iam", "CreateServiceLinkedRole", "us-east-1", AWSServiceName=principal))
    if call.service in NOT_YET:
        raise NOT_YET[call.service]


for _service, _operation in FIRST_USES:
    manners.before(_service, _operation)(_first_use)
