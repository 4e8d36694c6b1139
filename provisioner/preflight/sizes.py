"""Checks of sizes that grow with the settings: of IAM policies and of task definitions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, Ref, resolve, reveal_secrets
from provisioner.preflight.finding import Finding, address_of
from provisioner.settings.container import MAX_TASK_DEFINITION_BYTES

# IAM and STS quotas (IAM user guide): characters without white space, of a managed policy and of all inline
# policies of one role together.
MANAGED_POLICY_LIMIT, INLINE_POLICIES_LIMIT = 6144, 10240
# Stands for a value that only AWS gives: as long as the longest ARN of a stack, which is a secret's.
_LONGEST_ARN = "?" * 120
_SHORTEN = "Keep long variables in a parameter or a secret (`container.secrets`), or in the image."
_SPLIT_SECRETS = "Keep several values in one secret: `container.secrets` takes a key behind its ARN (`ARN:key::`)."


def check_policy_sizes(plan: Plan) -> Iterator[Finding]:
    """Yield each boundary policy that is too large, and each role whose inline policies are too large together.

    Only roles and policies that the plan creates or changes are checked.
    """
    by_role: dict[Ref | str, list[Resource]] = defaultdict(list)
    for resource in plan.stack:
        if str(resource.type) in ("Boundary", "RolePolicy"):
            by_role[resource.props.get("RoleName", resource.logical_id)].append(resource)
    for resources in by_role.values():
        limit = MANAGED_POLICY_LIMIT if str(resources[0].type) == "Boundary" else INLINE_POLICIES_LIMIT
        size = sum(map(_policy_size, resources))
        actions = {plan.changes[resource.logical_id].action for resource in resources}
        if size > limit and not actions.isdisjoint(("create", "replace", "update")):
            largest = max(resources, key=_policy_size)
            problem = f"has {size} characters; IAM takes {limit}"
            yield Finding(address_of(largest), problem, _SPLIT_SECRETS, limit=limit, needed=size)


def check_task_definition_sizes(plan: Plan) -> Iterator[Finding]:
    """Yield the new task definition revisions that are too large."""
    for resource in plan.stack:
        action = plan.changes[resource.logical_id].action
        if str(resource.type) != "TaskDefinition" or action not in ("create", "replace"):
            continue
        if (size := request_size(resolve(resource.props, lambda _: _LONGEST_ARN))) > MAX_TASK_DEFINITION_BYTES:
            problem = f"has {size} bytes; ECS takes a task definition of {MAX_TASK_DEFINITION_BYTES}"
            yield Finding(address_of(resource), problem, _SHORTEN, limit=MAX_TASK_DEFINITION_BYTES, needed=size)


def request_size(props: JsonObject) -> int:
    """Return the least size of a request in bytes: in UTF-8, without white space, secrets at full length."""
    revealed = reveal_secrets(props, None, lambda _: _LONGEST_ARN)
    return len(json.dumps(revealed, separators=(",", ":"), ensure_ascii=False).encode())


def _policy_size(resource: Resource) -> int:
    """Return the size of a resource's policy as IAM counts it, with ARNs of the longest length."""
    document = resolve(resource.props["PolicyDocument"], lambda _: _LONGEST_ARN)
    return len(json.dumps(document, separators=(",", ":"), default=lambda _: _LONGEST_ARN))
