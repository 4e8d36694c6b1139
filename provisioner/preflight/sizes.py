"""Checks of sizes that grow with the settings: of IAM policies and of task definitions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, Ref, resolve, reveal_secrets
from provisioner.preflight.findings import Finding
from provisioner.settings.container import MAX_TASK_DEFINITION_BYTES

# IAM and STS quotas (IAM user guide): characters without white space, of a managed policy and of all inline
# policies of one role together.
MANAGED, INLINE = 6144, 10240
# Stands for a value that only AWS gives: as long as the longest ARN of a stack, which is a secret's.
_ARN = "?" * 120
_SHORTEN = "Keep long variables in a parameter or a secret (`container.secrets`), or in the image."
_MEND = "Keep several values in one secret: `container.secrets` takes a key behind its ARN (`ARN:key::`)."


def sizes(plan: Plan) -> Iterator[Finding]:
    """Yield each boundary policy that is too large, and each role whose inline policies together are.

    Only roles and policies that the plan creates or changes are checked.
    """
    together: dict[Ref | str, list[Resource]] = defaultdict(list)
    for resource in plan.stack:
        if str(resource.type) in ("Boundary", "RolePolicy"):
            together[resource.props.get("RoleName", resource.logical_id)].append(resource)
    for resources in together.values():
        most = MANAGED if str(resources[0].type) == "Boundary" else INLINE
        size = sum(map(_size, resources))
        verbs = {plan.changes[resource.logical_id].action for resource in resources}
        if size > most and not verbs.isdisjoint(("create", "replace", "update")):
            largest = max(resources, key=_size)
            what = f"has {size} characters; IAM takes {most}"
            yield Finding(f"{largest.step}/{largest.logical_id}", what, _MEND, limit=most, needed=size)


def revisions(plan: Plan) -> Iterator[Finding]:
    """Yield the new task definition revisions that are too large."""
    for resource in plan.stack:
        if str(resource.type) != "TaskDefinition" or plan.changes[resource.logical_id].action not in (
            "create",
            "replace",
        ):
            continue
        if (size := size_of(resolve(resource.props, lambda _: _ARN))) > MAX_TASK_DEFINITION_BYTES:
            what = f"has {size} bytes; ECS takes a task definition of {MAX_TASK_DEFINITION_BYTES}"
            yield Finding(
                f"{resource.step}/{resource.logical_id}", what, _SHORTEN, limit=MAX_TASK_DEFINITION_BYTES, needed=size
            )


def size_of(props: JsonObject) -> int:
    """Return the least size of a request in bytes: in UTF-8, without white space, secrets at full length."""
    plain = reveal_secrets(props, None, lambda _: _ARN)
    return len(json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode())


def _size(resource: Resource) -> int:
    """Return the size of a resource's policy as IAM counts it, with ARNs of the longest length."""
    document = resolve(resource.props["PolicyDocument"], lambda _: _ARN)
    return len(json.dumps(document, separators=(",", ":"), default=lambda _: _ARN))
