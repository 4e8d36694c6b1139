"""IAM statements from grants: merged if that grants nothing more, named by resource type, split by size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.iam.reference import REQUEST_TAG, RESOURCE_TAG, action_name, known
from provisioner.iam.required_actions import RECORDS
from provisioner.names import PROJECT
from provisioner.permissions.arns import Condition
from provisioner.permissions.grants import Grant

Statement = dict[str, Any]
Policy = dict[str, Any]
VERSION = "2012-10-17"
# IAM and STS quotas (IAM user guide): characters without white space.
MANAGED_LIMIT, INLINE_LIMIT = 6144, 10240
# Condition keys of which several values may share a statement, because each value fits only its own
# resources: with `CreateVpc` no subnet is created, whatever else the statement allows.
_TOLD_APART = (":CreateAction", ":AWSServiceName", RECORDS)


def statements(grants: Iterable[Grant]) -> list[Statement]:
    """Return IAM statements for the grants, with as many grants in one statement as may share it.

    A grant with a condition is dropped if the same action is granted on the same resource without one.
    """
    together: dict[tuple[Any, ...], list[Grant]] = defaultdict(list)
    listed = dict.fromkeys(grants)
    free = {(one.action, one.resource) for one in listed if not one.condition}
    for grant in listed:
        if grant.condition and (grant.action, grant.resource) in free:
            continue
        together[_alike(grant)].append(grant)
    plan = [_statement(members) for members in together.values()]
    return list(_with_ids(sorted(plan, key=lambda one: (one["Action"][0].split(":")[0], str(one)))))


def _alike(grant: Grant) -> tuple[Any, ...]:
    """Return a grouping key: grants with the same key can share a statement without granting more than alone.

    An action applies only to the resource types that it is for. So resources with our name in their ARN can
    share a statement, and so can resources with our tags, as IAM checks the tags of each one. Reads can share
    one with reads. Any other grant shares a statement only with grants on the same resource.
    """
    prefix = grant.action.split(":", 1)[0]
    everywhere = grant.resource == "*"
    keys = tuple(key for _, key, _ in grant.condition)
    if any(key.endswith(_TOLD_APART) for key in keys):
        return prefix, keys
    if grant.condition or everywhere or PROJECT in grant.resource:
        return prefix, grant.condition, everywhere
    return prefix, "reads" if grant.reads else grant.resource


def _statement(members: list[Grant]) -> Statement:
    """Return the statement for grants that may share one; its id is made of their resource types."""
    resources = {action_name(one.action, one.resource) for one in members}
    plan: Statement = {
        "Sid": "".join(sorted({one.kind for one in members})),
        "Effect": "Allow",
        "Action": sorted({one.action for one in members}),
        "Resource": "*" if "*" in resources else sorted(resources),
    }
    if members[0].condition:
        plan["Condition"] = _condition(one.condition for one in members)
    return plan


def _condition(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    """Return conditions that differ only in their values as one, in the form of an IAM statement."""
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for operator, key, wanted in (part for condition in conditions for part in condition):
        values[operator, key] |= set(wanted)
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for (operator, key), all_ in values.items():
        told[operator][key] = sorted(all_) if len(all_) > 1 else next(iter(all_))
    return dict(told)


def deny_statements(boundaries: list[str], *, ending: bool) -> list[Statement]:
    """Return Deny statements that keep an operator from getting more rights through the roles of the stack.

    They forbid changing the permissions boundaries and detaching a boundary from a role, whatever else is
    allowed. With `ending`, for a teardown, the boundaries may be deleted.
    """
    if not boundaries:
        return []
    change = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"]
    if not ending:
        change += ["iam:DeletePolicy", "iam:DeletePolicyVersion"]
    kept = {"Sid": "BoundaryKept", "Effect": "Deny", "Action": sorted(change), "Resource": boundaries}
    off = "iam:DeleteRolePermissionsBoundary"
    return [kept, {"Sid": "BoundaryWorn", "Effect": "Deny", "Action": [off], "Resource": "*"}]


def protect_foreign_tags(grants: Iterable[Grant]) -> list[Statement]:
    """Return Deny statements against putting the stack's tags on a resource with another owner's tags.

    Otherwise an operator, who may change resources with our tags, could tag any resource as ours and change
    it then. IAM cannot tell tags given on creation from tags given later, except where the service names the
    call (ec2:CreateAction). A resource that is being created has no tags, and a resource without tags is not
    denied.
    """
    given: dict[str, set[str]] = defaultdict(set)
    actions: set[str] = set()
    for grant in grants:
        asked = {key: value for _, key, (value, *_) in grant.condition if key.startswith(REQUEST_TAG)}
        if asked and known(grant.action).level == "Tagging":
            actions.add(grant.action)
            for key, value in asked.items():
                given[key.replace(REQUEST_TAG, RESOURCE_TAG)].add(value)
    return [
        {
            "Sid": f"OthersKept{key.rpartition('/')[2]}",
            "Effect": "Deny",
            "Action": sorted(actions),
            "Resource": "*",
            "Condition": {"StringNotEquals": {key: sorted(values)}, "Null": {key: "false"}},
        }
        for key, values in sorted(given.items())
    ]


def _with_ids(plan: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the statements with unique ids, of letters and digits, that name the types that need them."""
    seen: dict[str, int] = defaultdict(int)
    for one in plan:
        name = "".join(char for char in one["Sid"] if char.isalnum())
        seen[name] += 1
        yield {**one, "Sid": name if seen[name] == 1 else f"{name}{seen[name]}"}


def policies(plan: Iterable[Statement], limit: int = MANAGED_LIMIT) -> list[Policy]:
    """Return the statements in as few policies as can be, each of at most `limit` characters."""
    bins: list[list[Statement]] = []
    for one in sorted(plan, key=lambda one: -size(one)):
        home = next((there for there in bins if size(policy([*there, one])) <= limit), None)
        if home is None:
            bins.append([one])
        else:
            home.append(one)
    return [policy(there) for there in bins]


def policy(plan: Iterable[Statement]) -> Policy:
    """Return a policy with these statements."""
    return {"Version": VERSION, "Statement": list(plan)}


def size(document: Any) -> int:
    """Return the size of a policy as IAM counts it: characters without white space."""
    return len(json.dumps(document, separators=(",", ":")))
