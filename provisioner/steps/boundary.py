"""The permissions boundary of the stack's roles. It allows what their own policies allow now, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.engine.resource_graph.graph import Resource, Step
from provisioner.engine.resource_graph.references import Interpolation, Ref, interpolate, refs_in
from provisioner.names import owner_tags
from provisioner.resources.iam import RolePolicy
from provisioner.resources.kms import Key
from provisioner.resources.managed_policy import Boundary
from provisioner.resources.rds.aurora import DBCluster
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.lookups import StackLookups

_LOGICAL_ID = "boundary"


def boundary_property(settings: Settings) -> dict[str, Any]:
    """Return the property that puts a role under the boundary; {} if the settings name none."""
    match settings.roles.boundary:
        case "off":
            return {}
        case "own":
            return {"PermissionsBoundary": Ref(_LOGICAL_ID, "id")}
        case policy_arn:
            return {"PermissionsBoundary": policy_arn}


def declare_boundary(step: Step, settings: Settings, lookups: StackLookups) -> None:
    """Declare the boundary: everything that the role policies of the stack allow.

    It is created before the resources that it is about, so ARNs that only AWS knows are patterns in it.
    """
    if settings.roles.boundary != "own":
        return
    allowed = (statement for resource in list(step.stack) for statement in _allowed_statements(step, lookups, resource))
    statements: list[dict[str, Any]] = []
    for statement in allowed:
        if statement not in statements:
            statements.append(statement)
    step(
        Boundary,
        _LOGICAL_ID,
        PolicyDocument={"Version": "2012-10-17", "Statement": statements},
        Description="What no role of ml-api may go beyond",
    )


def _allowed_statements(step: Step, lookups: StackLookups, resource: Resource) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role policy, with patterns in place of ARNs that only AWS knows.

    A statement is split: one for the ARNs that are known, and one for each resource whose ARN is not.
    Yield nothing for a resource that is no role policy.
    """
    if not isinstance(resource.type, RolePolicy):
        return
    for statement in resource.props["PolicyDocument"]["Statement"]:
        arns = [_with_wildcards(each) if isinstance(each, Interpolation) else each for each in statement["Resource"]]
        known_arns = [each for each in arns if not list(refs_in(each))]
        if known_arns:
            yield {**statement, "Resource": known_arns}
        for ref in dict.fromkeys(ref for each in arns for ref in refs_in(each)):
            yield {**statement, **_resource_pattern(step, lookups, step.stack.resources[ref.logical_id], statement)}


def _with_wildcards(arn: Interpolation) -> Interpolation:
    """Return an ARN in which each part that only AWS knows is "*"."""
    parts = (_with_wildcards(part) if isinstance(part, Interpolation) else part for part in arn.parts)
    return Interpolation(arn.template, tuple("*" if isinstance(part, Ref) else part for part in parts))


def _resource_pattern(
    step: Step, lookups: StackLookups, resource: Resource, statement: dict[str, Any]
) -> dict[str, Any]:
    """Return resources and conditions that match a resource whose ARN is not known yet."""
    if isinstance(resource.type, DBCluster):
        # Aurora user guide, rds-secrets-manager: a secret that RDS manages is tagged with its cluster.
        cluster = arn(step, lookups, "rds", f"cluster:{resource.aws_name}")
        of_cluster = {"StringEquals": {"aws:ResourceTag/aws:rds:primaryDBClusterArn": cluster}}
        return {"Resource": [arn(step, lookups, "secretsmanager", "secret:rds!cluster-*")], "Condition": of_cluster}
    if isinstance(resource.type, Key):
        conditions = statement.get("Condition", {}).get("StringEquals", {})
        tags = {f"aws:ResourceTag/{name}": value for name, value in owner_tags(step.stack.suffix).items()}
        return {"Resource": [arn(step, lookups, "kms", "key/*")], "Condition": {"StringEquals": {**conditions, **tags}}}
    service, name = resource.type.service, resource.aws_name
    return {"Resource": [interpolate("arn:{}:{}:*:{}:*{}*", lookups.partition, service, lookups.account, name)]}
