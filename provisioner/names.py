"""Makes and checks every name and tag that the stack gives to AWS.

A name is `ml-api-<noun>-<suffix>`. Resources of which there are several, or which are replaced by a new one
while the old one exists, carry four hex characters before the suffix: a hash of what makes them distinct.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from provisioner import __version__
from provisioner.errors import UsageError, quoted

PROJECT = "ml-api"


def program(invoked_as: str) -> str:
    """Return the command by which this tool was called, so that hints name a command that works here."""
    name = Path(invoked_as).name
    if name == "cli.py":
        return f"python {shlex.quote(invoked_as)}"
    return "ml-api" if name == "ml-api" else "python cli.py"


PROGRAM = program(sys.argv[0])
MANAGER = "ml-api-provisioner"
# What a state and a run record name as the program that wrote them.
WRITER = f"{MANAGER} {__version__}"
NODE_TAG = "ml-api:node"
# Roles and distributions have no region: without this tag, two stacks of one suffix would adopt each other's.
REGION_TAG = "ml-api:region"
# On the distribution: the hosted zone of its records, for a teardown that knows nothing else.
ZONE_TAG = "ml-api:zone"
# Who chose the image that a service runs, if not the settings.
IMAGE_OWNER = "ml-api:image-owner"
# What else was chosen with the image: `size`, and `env.NAME` for each variable.
SHIPPED_WITH = "ml-api:shipped-with"
# Who chose the minimum and maximum number of a service's tasks, if not the settings.
COUNT_OWNER = "ml-api:count-owner"
# On the stack's marker: which run is at work, and when it was last heard of (`engine/run_marker/marker.py`).
RUN_TAG = "ml-api:run"
LONGEST_SUFFIX = 16
_SUFFIX = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


# The form of a name, and of the names of some nouns that AWS, or another service, wants otherwise.
#
# No noun may be another noun plus a hyphen and more: `role` with the suffix `a-b` would collide with `role-a`
# with the suffix `b`. tests/test_names.py checks this.
_USUAL_TEMPLATE = "ml-api-{noun}{distinct}-{suffix}"
NAME_TEMPLATES: Mapping[str, str] = {
    "ecs-logs": "/aws/ecs/ml-api-{suffix}",
    "exec-logs": "/aws/ecs/exec/ml-api-{suffix}",
    "alb-logs": "/aws/alb/ml-api-{suffix}",
    "vpc-logs": "/aws/vpc/ml-api-{suffix}",
    "aurora-logs": "/aws/rds/cluster/ml-api-aurora-{suffix}/postgresql",
    "insights-logs": "/aws/ecs/containerinsights/ml-api-cluster-{suffix}/performance",
    # A log group that WAF writes to must have a name that begins so (WAF developer guide, logging-cw-logs).
    "waf-logs": "aws-waf-logs-ml-api-{suffix}",
    # The trailing word keeps AWS from reading `-<six characters>` as the random tail of a secret's ARN
    # (botocore secretsmanager CreateSecret, Name).
    "dbsecret": "ml-api-dbsecret-{suffix}/master",
    "originkey": "ml-api-originkey-{suffix}/header",
}


def check_suffix(suffix: str) -> str:
    """Check that a suffix can be part of every name of the stack, and return it.

    Raises:
        UsageError: AWS takes no name with it, or it is too long for one of the stack's names.

    """
    if not _SUFFIX.fullmatch(suffix):
        raise UsageError(
            f"The suffix {quoted(suffix)} cannot be part of an AWS name.",
            "Use lower-case letters, digits and single hyphens between them, such as `prod` or `team-a`.",
        )
    if len(suffix) > LONGEST_SUFFIX:
        raise UsageError(
            f"The suffix {quoted(suffix)} has {len(suffix)} characters; {LONGEST_SUFFIX} is the most that "
            "fits every name (a load balancer's may have 32).",
            f"Shorten it, for example to `{suffix[:LONGEST_SUFFIX].rstrip('-')}`.",
        )
    return suffix


def name_pattern(name: str, suffix: str) -> str:
    """Return the name as an IAM pattern: its four hex characters, if it has them, become wildcards."""
    return re.sub(rf"-[0-9a-f]{{4}}(-{re.escape(suffix)})$", r"-????\1", name)


def name_of(noun: str, suffix: str, distinct: str = "", limit: int = 255) -> str:
    """Return the AWS name of `noun` in the stack `suffix`, of at most `limit` characters.

    If there are several of the noun, `distinct` is what makes this one distinct: its hash becomes part of the
    name.

    Raises:
        UsageError: The name is longer than AWS takes.

    """
    template = NAME_TEMPLATES.get(noun, _USUAL_TEMPLATE)
    name = template.format(noun=noun, suffix=suffix, distinct=f"-{four_hex(distinct)}" if distinct else "")
    if len(name) > limit:
        raise UsageError(f"{name} has {len(name)} characters; AWS takes {limit} for a {noun}.")
    return name


def four_hex(text: str) -> str:
    """Return four hex characters of the hash of `text`."""
    import hashlib  # noqa: PLC0415 - a tenth of the time that --help takes

    return hashlib.sha256(text.encode()).hexdigest()[:4]


def owner_tags(suffix: str) -> dict[str, str]:
    """Return the three tags that mark a resource as this stack's."""
    return {"Project": PROJECT, "Environment": suffix, "ManagedBy": MANAGER}


def tags_of(suffix: str, region: str, logical_id: str, name: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return all tags of one resource; the tool's own tags win over the user's `extra` ones."""
    name_tag = {"Name": name} if name else {}
    return {**extra, **name_tag, **owner_tags(suffix), REGION_TAG: region, NODE_TAG: logical_id}


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of a resource's tags that are the user's own."""
    tool_tags = {"Name", REGION_TAG, NODE_TAG, RUN_TAG, *owner_tags("")}
    return {name: value for name, value in tags.items() if name not in tool_tags}


# The tags that say which stack a resource belongs to.
_OWNER_TAGS = ("Project", "Environment", "ManagedBy", REGION_TAG)


def has_owner(actual: Mapping[str, str], desired: Mapping[str, str]) -> bool:
    """Return whether the tags `actual` belong to the same stack as the tags `desired`."""
    return all(key in desired and actual.get(key) == desired[key] for key in _OWNER_TAGS)


def has_another_owner(actual: Mapping[str, str], desired: Mapping[str, str]) -> bool:
    """Return whether the tags `actual` are somebody else's, rather than what is left of `desired`.

    Another stack's suffix or region means another owner. Otherwise a resource that still has this stack's
    region and node tags is ours, even if a person has removed or changed other tags.
    """
    different = {key for key in _OWNER_TAGS if key in actual and actual[key] != desired.get(key)}
    if different & {"Environment", REGION_TAG}:
        return True
    if all(key in actual and actual[key] == desired.get(key) for key in (REGION_TAG, NODE_TAG)):
        return False
    return bool(different) or bool(actual and not actual.keys() & set(_OWNER_TAGS))


def has_stack_tags(tags: Mapping[str, str], suffix: str) -> bool:
    """Return whether the tags mark a resource as one of the stack `suffix`."""
    return owner_tags(suffix).items() <= tags.items()
