"""Makes and checks every name and tag that the stack gives to AWS.

A name is `ml-api-<noun>-<suffix>`. Resources of which there are several, or which are replaced by a new one
while the old one exists, carry four hex characters before the suffix: a hash of what makes them distinct.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioner import __version__
from provisioner.errors import UsageError, quoted

PROJECT = "ml-api"


def program(invoked_as: str) -> str:
    """Return the command by which this tool was called, so that hints name a command that works here."""
    name = Path(invoked_as).name
    return (
        f"python {shlex.quote(invoked_as)}" if name == "cli.py" else "ml-api" if name == "ml-api" else "python cli.py"
    )


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


@dataclass(frozen=True)
class NameRule:
    """The form of the names of one noun: the longest length that AWS takes, and the pattern used here."""

    limit: int
    template: str = "ml-api-{noun}{distinct}-{suffix}"


# Limits: botocore service models, and the AWS API reference of each service.
# No noun may be another noun plus a hyphen and more: `role` with the suffix `a-b` would collide with `role-a`
# with the suffix `b`. tests/test_names.py checks this.
NAME_RULES: Mapping[str, NameRule] = {
    "vpc": NameRule(255),
    "subnet": NameRule(255),
    "igw": NameRule(255),
    "eip": NameRule(255),
    "nat": NameRule(255),
    "routes": NameRule(255),
    "endpoint": NameRule(255),
    "sg-alb": NameRule(255),
    "sg-tasks": NameRule(255),
    "sg-db": NameRule(255),
    "sg-endpoints": NameRule(255),
    "sgr": NameRule(255),
    "flow-log": NameRule(255),
    "flow-role": NameRule(64),
    "boundary": NameRule(128),
    "pipeline": NameRule(64),
    "pr-pipeline": NameRule(64),
    "ecs-logs": NameRule(512, "/aws/ecs/ml-api-{suffix}"),
    "exec-logs": NameRule(512, "/aws/ecs/exec/ml-api-{suffix}"),
    "alb-logs": NameRule(512, "/aws/alb/ml-api-{suffix}"),
    "vpc-logs": NameRule(512, "/aws/vpc/ml-api-{suffix}"),
    "aurora-logs": NameRule(512, "/aws/rds/cluster/ml-api-aurora-{suffix}/postgresql"),
    "insights-logs": NameRule(512, "/aws/ecs/containerinsights/ml-api-cluster-{suffix}/performance"),
    "dbsubnets": NameRule(255),
    "dbparams": NameRule(255),
    "aurora": NameRule(63),
    "writer": NameRule(63),
    "reader": NameRule(63),
    "monitor-role": NameRule(64),
    # The trailing word keeps AWS from reading `-<six characters>` as the random tail of a secret's ARN
    # (botocore secretsmanager CreateSecret, Name).
    "dbsecret": NameRule(512, "ml-api-dbsecret-{suffix}/master"),
    "sessions": NameRule(255),
    "key": NameRule(250),
    "global-key": NameRule(250),
    "originkey": NameRule(512, "ml-api-originkey-{suffix}/header"),
    "execution-role": NameRule(64),
    "task-role": NameRule(64),
    "cluster": NameRule(255),
    "taskdef": NameRule(255),
    "service": NameRule(255),
    # There may be several services with prefixes of their own; the main service's resources keep the plain
    # names.
    "api-taskdef": NameRule(255),
    "api-service": NameRule(255),
    "api-scaling": NameRule(255),
    "api-requests": NameRule(256),
    "api-alarm-unhealthy": NameRule(255),
    "api-alarm-tasks": NameRule(255),
    "alb": NameRule(32),
    "tg": NameRule(32),
    "listener": NameRule(255),
    "rule": NameRule(255),
    "scaling": NameRule(255),
    "requests": NameRule(256),
    "edge": NameRule(128),
    "origin": NameRule(64),
    "webacl": NameRule(128),
    "certificate-edge": NameRule(255),
    "certificate-alb": NameRule(255),
    # With `-<account>-<region>` appended, a bucket's name may have 63 characters.
    "logs": NameRule(35),
    "records-source": NameRule(60),
    "records-destination": NameRule(60),
    "delivery": NameRule(255),
    "alerts": NameRule(256),
    "global-alerts": NameRule(256),
    "alarm-5xx": NameRule(255),
    "alarm-target-5xx": NameRule(255),
    "alarm-unhealthy": NameRule(255),
    "alarm-latency": NameRule(255),
    "alarm-tasks": NameRule(255),
    "alarm-acu": NameRule(255),
    "alarm-db-cpu": NameRule(255),
    "alarm-db-connections": NameRule(255),
    "alarm-throttles": NameRule(255),
    "alarm-waf": NameRule(255),
    "dashboard": NameRule(255),
    "deployments": NameRule(64),
    # A log group that WAF writes to must have a name that begins so (WAF developer guide, logging-cw-logs).
    "waf-logs": NameRule(512, "aws-waf-logs-ml-api-{suffix}"),
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


def name_of(noun: str, suffix: str, distinct: str = "") -> str:
    """Return the AWS name of `noun` in the stack `suffix`.

    If there are several of the noun, `distinct` is what makes this one distinct: its hash becomes part of the
    name.

    Raises:
        UsageError: The name is longer than AWS takes.

    """
    rule = NAME_RULES[noun]
    hash_part = f"-{four_hex(distinct)}" if distinct else ""
    name = rule.template.format(noun=noun, suffix=suffix, distinct=hash_part)
    if len(name) > rule.limit:
        raise UsageError(f"{name} has {len(name)} characters; AWS takes {rule.limit} for a {noun}.")
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
