"""IAM statements from grants: merged if that grants nothing more, named by what they allow, split by size."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.iam.reference import REQUEST_TAG, RESOURCE_TAG, policy_arn, require_action
from provisioner.iam.required_actions import RECORD_NAMES_KEY
from provisioner.names import PROJECT
from provisioner.permissions.arns import Condition
from provisioner.permissions.grants import Grant

Statement = dict[str, Any]
Policy = dict[str, Any]
VERSION = "2012-10-17"
# IAM and STS quotas (IAM user guide): characters without white space.
MANAGED_LIMIT, INLINE_LIMIT = 6144, 10240
# Short names in the ids of statements, for the longest of IAM's prefixes.
_SHORT_NAMES = {
    "application-autoscaling": "Autoscaling",
    "elasticloadbalancing": "Elb",
    "secretsmanager": "Secrets",
    "servicequotas": "Quotas",
}
# Condition keys of which several values may share a statement, because each value fits only its own
# resources: with `CreateVpc` no subnet is created, whatever else the statement allows.
_SELF_LIMITING_KEYS = (":CreateAction", ":AWSServiceName", RECORD_NAMES_KEY)


def statements(grants: Iterable[Grant]) -> list[Statement]:
    """Return IAM statements for the grants, with as many grants in one statement as may share it.

    A grant with a condition is dropped if the same action is granted on the same resource without one.
    """
    unique = dict.fromkeys(grants)
    unconditional = {(grant.action, grant.resource) for grant in unique if not grant.condition}
    by_key: dict[tuple[Any, ...], list[Grant]] = defaultdict(list)
    for grant in unique:
        if grant.condition and (grant.action, grant.resource) in unconditional:
            continue
        by_key[_merge_key(grant)].append(grant)
    merged = [_merged_statement(members) for members in by_key.values()]
    return list(_with_unique_ids(sorted(merged, key=_sort_key)))


def _sort_key(statement: Statement) -> tuple[str, str]:
    """Return the key that sorts statements by their first action's service."""
    return statement["Action"][0].split(":")[0], str(statement)


def _merge_key(grant: Grant) -> tuple[Any, ...]:
    """Return a grouping key: grants with the same key can share a statement without granting more than alone.

    An action applies only to the resource types that it is for. So resources with our name in their ARN can
    share a statement, and so can resources with our tags, as IAM checks the tags of each one. Reads can share
    one with reads. Any other grant shares a statement only with grants on the same resource.
    """
    prefix = grant.action.split(":", 1)[0]
    is_on_all = grant.resource == "*"
    keys = tuple(key for _, key, _ in grant.condition)
    if any(key.endswith(_SELF_LIMITING_KEYS) for key in keys):
        return prefix, keys
    if grant.condition or is_on_all or PROJECT in grant.resource:
        return prefix, grant.condition, is_on_all
    return prefix, "reads" if grant.reads else grant.resource


def _merged_statement(members: list[Grant]) -> Statement:
    """Return the statement for grants that may share one."""
    resources = {policy_arn(grant.action, grant.resource) for grant in members}
    actions = sorted({grant.action for grant in members})
    statement: Statement = {
        "Sid": _statement_id(actions, members[0].condition, on_all="*" in resources),
        "Effect": "Allow",
        "Action": actions,
        "Resource": "*" if "*" in resources else sorted(resources),
    }
    if members[0].condition:
        statement["Condition"] = _merged_condition(grant.condition for grant in members)
    return statement


def _statement_id(actions: list[str], condition: Condition, *, on_all: bool) -> str:
    """Return an id that says what a statement allows, such as "Ec2ChangeOurs" or "IamPassRoleByService".

    It names the service, the action or else what the actions do, and on what.
    """
    prefix, _, name = actions[0].partition(":")
    service = _SHORT_NAMES.get(prefix, prefix.title().replace("-", ""))
    levels = {require_action(action).level for action in actions}
    verb = "Read" if levels <= {"List", "Read"} else "Tag" if levels == {"Tagging"} else "Change"
    return f"{service}{name if len(actions) == 1 else verb}{_scope_word(condition, on_all=on_all)}"


def _scope_word(condition: Condition, *, on_all: bool) -> str:
    """Return the word for the resources of a statement: `New` and `Ours` have our tags; "" are those that it names."""
    keys = [key for _, key, _ in condition]
    if any(key.startswith(REQUEST_TAG) for key in keys):
        return "New"
    if any(operator == "Null" for operator, _, _ in condition):
        return "Untagged"
    if any(key.startswith(RESOURCE_TAG) for key in keys):
        return "Ours"
    if keys:
        return f"By{re.findall('[A-Z][a-z]+', keys[0])[-1]}"
    return "All" if on_all else ""


def _merged_condition(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    """Return conditions that differ only in their values as one, in the form of an IAM statement."""
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for operator, key, allowed in (part for condition in conditions for part in condition):
        values[operator, key] |= set(allowed)
    merged: dict[str, dict[str, Any]] = defaultdict(dict)
    for (operator, key), merged_values in values.items():
        merged[operator][key] = sorted(merged_values) if len(merged_values) > 1 else next(iter(merged_values))
    return dict(merged)


def deny_statements(boundaries: list[str], *, for_teardown: bool) -> list[Statement]:
    """Return Deny statements that keep an operator from getting more rights through the roles of the stack.

    They forbid changing the permissions boundaries and detaching a boundary from a role, whatever else is
    allowed. With `for_teardown`, for a teardown, the boundaries may be deleted.
    """
    if not boundaries:
        return []
    changes = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"]
    if not for_teardown:
        changes += ["iam:DeletePolicy", "iam:DeletePolicyVersion"]
    detach = ["iam:DeleteRolePermissionsBoundary"]
    return [
        {"Sid": "DenyBoundaryChange", "Effect": "Deny", "Action": sorted(changes), "Resource": boundaries},
        {"Sid": "DenyBoundaryRemoval", "Effect": "Deny", "Action": detach, "Resource": "*"},
    ]


def protect_foreign_tags(grants: Iterable[Grant]) -> list[Statement]:
    """Return Deny statements against putting the stack's tags on a resource with another owner's tags.

    Otherwise an operator, who may change resources with our tags, could tag any resource as ours and change
    it then. IAM cannot tell tags given on creation from tags given later, except where the service names the
    call (ec2:CreateAction). A resource that is being created has no tags, and a resource without tags is not
    denied.
    """
    tag_values: dict[str, set[str]] = defaultdict(set)
    actions: set[str] = set()
    for grant in grants:
        request_tags = {key: value for _, key, (value, *_) in grant.condition if key.startswith(REQUEST_TAG)}
        if request_tags and require_action(grant.action).level == "Tagging":
            actions.add(grant.action)
            for key, value in request_tags.items():
                tag_values[key.replace(REQUEST_TAG, RESOURCE_TAG)].add(value)
    return [
        {
            "Sid": f"DenyForeign{key.rpartition('/')[2]}",
            "Effect": "Deny",
            "Action": sorted(actions),
            "Resource": "*",
            "Condition": {"StringNotEquals": {key: sorted(values)}, "Null": {key: "false"}},
        }
        for key, values in sorted(tag_values.items())
    ]


def _with_unique_ids(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the statements with unique ids: a number follows the second and each later one of the same id."""
    counts: dict[str, int] = defaultdict(int)
    for statement in statements:
        name = statement["Sid"]
        counts[name] += 1
        yield {**statement, "Sid": name if counts[name] == 1 else f"{name}{counts[name]}"}


def split_into_policies(statements: Iterable[Statement], limit: int = MANAGED_LIMIT) -> list[Policy]:
    """Return the statements in as few policies as can be, each of at most `limit` characters."""
    bins: list[list[Statement]] = []
    for statement in sorted(statements, key=size, reverse=True):
        fitting = next((members for members in bins if size(policy([*members, statement])) <= limit), None)
        if fitting is None:
            bins.append([statement])
        else:
            fitting.append(statement)
    return [policy(members) for members in bins]


def policy(statements: Iterable[Statement]) -> Policy:
    """Return a policy with these statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def size(document: Any) -> int:
    """Return the size of a policy as IAM counts it: characters without white space."""
    return len(json.dumps(document, separators=(",", ":")))
