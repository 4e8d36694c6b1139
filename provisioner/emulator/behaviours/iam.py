"""IAM: new roles that other services do not see yet, roles that a first use makes, policies that are in use."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.ecs.exceptions import TaskDefinitionNotFoundException

from provisioner.emulator.account_store import AccountStore, on_reset
from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply, access_denied
from provisioner.emulator.hooks import always, behaviours
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.iam import SERVICE_ROLES, create_service_role
from provisioner.emulator.wire import Call, compose_call

MOST = 2  # refusals of one role
# Roles are used some time after they are created, so AT_LEAST is in real seconds, at any speed.
SECONDS, AT_LEAST = 60.0, 2.0
SEED = 5

_PRINCIPAL = "MalformedPolicyDocumentException"
# The error code and message of each call for an unknown role, from terraform-provider-aws unless stated
# otherwise. "": the call only denies iam:PassRole (terraform-aws-modules/terraform-aws-ecs#414).
UNKNOWN: dict[tuple[str, str], tuple[str, str]] = {
    ("ecs", "RegisterTaskDefinition"): ("ClientException", "Role is not valid"),  # fabfuel/ecs-deploy#231
    ("ecs", "RunTask"): ("", ""),
    ("ecs", "CreateService"): ("", ""),
    ("ecs", "UpdateService"): ("", ""),
    ("ec2", "CreateFlowLogs"): ("InvalidParameter", "Unable to assume given IAM role"),  # ec2/vpc_flow_log.go
    ("rds", "CreateDBInstance"): (
        "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),  # rds/instance.go
    ("rds", "ModifyDBInstance"): (
        "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),
    ("application-autoscaling", "RegisterScalableTarget"): (
        "ValidationException",
        "Unable to assume IAM role",
    ),  # appautoscaling/target.go
    ("kms", "CreateKey"): (
        _PRINCIPAL,
        "Policy contains a statement with one or more invalid principals.",
    ),  # kms/key.go
    ("kms", "PutKeyPolicy"): (_PRINCIPAL, "Policy contains a statement with one or more invalid principals."),
    ("s3", "PutBucketPolicy"): ("MalformedPolicy", "Invalid principal in policy"),  # s3/bucket_policy.go
    ("secretsmanager", "PutResourcePolicy"): (
        _PRINCIPAL,
        "This resource policy contains an unsupported principal.",
    ),  # secretsmanager/secret.go
    ("iam", "CreateRole"): ("MalformedPolicyDocument", "Invalid principal in policy"),  # iam/role.go
    ("iam", "UpdateAssumeRolePolicy"): ("MalformedPolicyDocument", "Invalid principal in policy"),
    ("sns", "SetTopicAttributes"): (
        "InvalidParameter",
        "Invalid parameter: Policy Error: PrincipalNotFound",
    ),  # sns/topic_policy.go
}
# Services that name the role as a principal in a policy, which needs no iam:PassRole.
_NOT_PASSED = ("kms", "s3", "secretsmanager", "iam", "sns")

_dice = random.Random(SEED)  # noqa: S311  # tests need the same numbers after every reset
on_reset(lambda: _dice.seed(SEED))


@dataclass
class NewRole:
    """A new role, and how many more calls that use it are refused."""

    arn: str
    created_at: float = field(default_factory=clock.now)
    refusals_left: int = field(default_factory=lambda: _dice.randint(0, MOST * lag.USES))

    def refuses(self) -> bool:
        """Return whether a call that uses the role is refused, and count that."""
        refuses = self.refusals_left > 0 and clock.now() <= self.created_at + max(clock.scaled(SECONDS), AT_LEAST)
        self.refusals_left -= refuses
        return refuses


new_roles: AccountStore[NewRole] = AccountStore()


@behaviours.after("iam", "CreateRole")
def _remember_new_role(call: Call, reply: Reply) -> None:
    """Remember a new role."""
    arn = str(reply["Role"]["Arn"])
    new_roles.at(call.account, "")[arn] = NewRole(arn)


def _refuse(call: Call) -> None:
    """Refuse a call that uses a role which is still too new."""
    for arn in _new_roles_used(call):
        role = new_roles.at(call.account, "").get(arn)
        if role is not None and role.refuses():
            raise _refusal(call, role)


def _refusal(call: Call, role: NewRole) -> AwsError:
    """Return the error for a role: a denied iam:PassRole, or the service's own error, in turn."""
    code, message = UNKNOWN[call.service, call.operation]
    is_denied = role.refusals_left % 2 == 0 and call.service not in _NOT_PASSED
    if is_denied or not code:
        return access_denied(call, "iam:PassRole", role.arn)
    return AwsError(code, message)


def _new_roles_used(call: Call) -> Iterator[str]:
    """Return the ARNs of new roles that a call uses, directly or through its task definition."""
    text = str(call.params)
    if name := call.params.get("taskDefinition"):
        text += _task_roles(call, str(name))
    return (arn for arn in list(new_roles.at(call.account, "")) if arn in text)


def _task_roles(call: Call, name: str) -> str:
    """Return the execution role and the task role of a task definition, as a text."""
    ecs: Any = backend("ecs", call.account, call.region)
    try:
        task = ecs.describe_task_definition(name)
    except TaskDefinitionNotFoundException:  # the call itself will fail with this
        return ""
    return " ".join(str(getattr(task, name, "")) for name in ("execution_role_arn", "task_role_arn"))


for _service, _operation in UNKNOWN:
    behaviours.before(_service, _operation)(_refuse)


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
    create_service_role(compose_call("iam", "CreateServiceLinkedRole", "us-east-1", AWSServiceName=principal))
    if call.service in NOT_YET:
        raise NOT_YET[call.service]


for _service, _operation in FIRST_USES:
    behaviours.before(_service, _operation)(_first_use)


@always.before("iam", "DeletePolicy")
def refuse_with_versions(call: Call) -> None:
    """Refuse to delete a policy that has non-default versions: IAM API, DeletePolicy, DeleteConflict."""
    policy = backend("iam", call.account, "aws").managed_policies.get(call.params["PolicyArn"])
    if policy and len(policy.versions) > 1:
        raise AwsError(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy.",
            409,
        )


@behaviours.before("iam", "DeletePolicy")
def refuse_attached(call: Call) -> None:
    """Refuse to delete a policy that is attached or a boundary: IAM API, DeletePolicy, DeleteConflict."""
    arn, iam = call.params["PolicyArn"], backend("iam", call.account, "aws")
    entities = (*iam.roles.values(), *iam.users.values(), *iam.groups.values())
    is_boundary = any(role.permissions_boundary_arn == arn for role in iam.roles.values())
    if is_boundary or any(arn in entity.managed_policies for entity in entities):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
