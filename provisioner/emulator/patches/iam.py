"""IAM: valid trust policies, AWS managed policies, and service-linked roles under AWS's names."""

from __future__ import annotations

import functools
import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

# AWS doc, using service-linked roles, of each service; moto derives names that differ in case.
SERVICE_ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "wafv2.amazonaws.com": "AWSServiceRoleForWAFV2Logging",
    "vpcorigin.cloudfront.amazonaws.com": "AWSServiceRoleForCloudFrontVPCOrigin",
}


@always.before("iam", "CreateRole", "UpdateAssumeRolePolicy")
def check_trust_policy(call: Call) -> None:
    """Refuse a trust policy that is not JSON or lacks a principal or an action; moto takes any text."""
    text = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument", "")
    try:
        statements = json.loads(text)["Statement"]
        sound = all("Principal" in s and "Action" in s for s in statements) and bool(statements)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        message = "This policy contains invalid Json, or a statement without a principal or an action"
        raise AwsError("MalformedPolicyDocument", message)


@always.before("iam", "AttachRolePolicy", "GetPolicy", "GetPolicyVersion")
def load_managed_policy(call: Call) -> None:
    """Load an AWS managed policy when it is first asked for; moto loads all of them, at 40 MB, or none."""
    arn = call.params["PolicyArn"]
    iam = backend("iam", call.account, "aws")
    if arn.startswith("arn:aws:iam::aws:policy/") and arn not in iam.managed_policies:
        name = arn.rpartition("/")[2]
        if data := _aws_policies().get(name):
            policy = AWSManagedPolicy.from_data(name, call.account, "us-east-1", data)
            iam.managed_policies[policy.arn] = policy


@always.after("iam", "ListEntitiesForPolicy")
def add_bounded_roles(call: Call, reply: Reply) -> None:
    """Add the roles that have a policy as permissions boundary.

    Source: IAM API, ListEntitiesForPolicy, PolicyUsageFilter.
    """
    arn, roles = call.params["PolicyArn"], backend("iam", call.account, "aws").roles.values()
    listed_names = {listed["RoleName"] for listed in reply["PolicyRoles"]}
    bounded_roles = [role for role in roles if role.permissions_boundary_arn == arn and role.name not in listed_names]
    reply["PolicyRoles"] += [{"RoleName": role.name, "RoleId": role.id} for role in bounded_roles]


@functools.cache
def _aws_policies() -> dict[str, Any]:
    """Return moto's data of the AWS managed policies, by name."""
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


@always.before("iam", "CreateServiceLinkedRole")
def create_service_role(call: Call) -> Reply | None:
    """Create a service-linked role under AWS's name for it, and refuse a second one.

    Source of the message: cube-js/cube#11581.
    """
    service = call.params["AWSServiceName"]
    name = SERVICE_ROLES.get(service)
    if name is None:
        return None
    iam = backend("iam", call.account, "aws")
    if any(role.name == name for role in iam.roles.values()):
        raise AwsError(
            "InvalidInput", f"Service role name {name} has been taken in this account, please try a different suffix."
        )
    created = ask_moto(call, "iam", "CreateServiceLinkedRole", **call.params)["Role"]
    role = next(role for role in iam.roles.values() if role.name == created["RoleName"])
    role.name = name
    return {"Role": ask_moto(call, "iam", "GetRole", RoleName=name)["Role"]}
