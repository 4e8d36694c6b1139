"""Grants as the statements of IAM policies: merged where nothing is widened, named by kind, split by size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.embedded.besides import RECORDS
from provisioner.embedded.reference import REQUEST_TAG, RESOURCE_TAG, known, written
from provisioner.names import PROJECT
from provisioner.rights.grants import Grant
from provisioner.rights.ground import Condition

Statement = dict[str, Any]
Policy = dict[str, Any]
VERSION = "2012-10-17"
# IAM and STS quotas (IAM user guide): characters without white space.
MANAGED_LIMIT, INLINE_LIMIT = 6144, 10240
# Keys whose values fit one resource each: `CreateVpc` makes no subnet, whatever else is allowed beside it.
_TOLD_APART = (":CreateAction", ":AWSServiceName", RECORDS)


def statements(grants: Iterable[Grant]) -> list[Statement]:
    """One statement for all grants of a service that may stand together."""
    together: dict[tuple[Any, ...], list[Grant]] = defaultdict(list)
    listed = dict.fromkeys(grants)
    free = {(one.action, one.resource) for one in listed if not one.condition}
    for grant in listed:
        if grant.condition and (grant.action, grant.resource) in free:
            continue
        together[_alike(grant)].append(grant)
    made = [_statement(members) for members in together.values()]
    return list(_with_ids(sorted(made, key=lambda one: (one["Action"][0].split(":")[0], str(one)))))


def _alike(grant: Grant) -> tuple[Any, ...]:
    """What two grants must share to stand together without granting more than each does alone.

    An action knows only the types that it is for. So what bears our name may be lumped, and so may what bears
    our tags, as IAM asks them of each resource; a list may be lumped with a list. All else stands alone.
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
    resources = {written(one.action, one.resource) for one in members}
    made: Statement = {
        "Sid": "".join(sorted({one.kind for one in members})),
        "Effect": "Allow",
        "Action": sorted({one.action for one in members}),
        "Resource": "*" if "*" in resources else sorted(resources),
    }
    if members[0].condition:
        made["Condition"] = _condition(one.condition for one in members)
    return made


def _condition(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    """Conditions that differ in their values only, as one."""
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for operator, key, wanted in (part for condition in conditions for part in condition):
        values[operator, key] |= set(wanted)
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for (operator, key), all_ in values.items():
        told[operator][key] = sorted(all_) if len(all_) > 1 else next(iter(all_))
    return dict(told)


def denials(boundaries: list[str], *, ending: bool) -> list[Statement]:
    """No way up: what bounds the roles is not changed, nor taken off a role, whatever else is allowed."""
    if not boundaries:
        return []
    change = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"]
    if not ending:
        change += ["iam:DeletePolicy", "iam:DeletePolicyVersion"]
    kept = {"Sid": "BoundaryKept", "Effect": "Deny", "Action": sorted(change), "Resource": boundaries}
    off = "iam:DeleteRolePermissionsBoundary"
    return [kept, {"Sid": "BoundaryWorn", "Effect": "Deny", "Action": [off], "Resource": "*"}]


def others_kept(grants: Iterable[Grant]) -> list[Statement]:
    """What bears somebody else's tags is not given ours: who may change what bears ours could change it then.

    IAM cannot tell the giving of tags at birth from a later one, save where the service names the call
    (ec2:CreateAction). What is not there yet has no tags, and what has none is met by no denial.
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


def _with_ids(made: Iterable[Statement]) -> Iterator[Statement]:
    """Statement ids that say which kinds need them; letters and digits only, each once."""
    seen: dict[str, int] = defaultdict(int)
    for one in made:
        name = "".join(char for char in one["Sid"] if char.isalnum())
        seen[name] += 1
        yield {**one, "Sid": name if seen[name] == 1 else f"{name}{seen[name]}"}


def policies(made: Iterable[Statement], limit: int = MANAGED_LIMIT) -> list[Policy]:
    """As few policies as hold these statements, each within IAM's limit."""
    bins: list[list[Statement]] = []
    for one in sorted(made, key=lambda one: -size(one)):
        home = next((there for there in bins if size(policy([*there, one])) <= limit), None)
        if home is None:
            bins.append([one])
        else:
            home.append(one)
    return [policy(there) for there in bins]


def policy(made: Iterable[Statement]) -> Policy:
    """Statements as a policy."""
    return {"Version": VERSION, "Statement": list(made)}


def size(document: Any) -> int:
    """How IAM counts it: characters without white space."""
    return len(json.dumps(document, separators=(",", ":")))
