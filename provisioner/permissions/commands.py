"""What each command needs of IAM: methods of the resource types, other calls, and the state in S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from provisioner.doctor import muted_alarms, reads
from provisioner.health import targets, topics
from provisioner.iam import reference
from provisioner.iam.reference import Action
from provisioner.permissions import pipeline
from provisioner.permissions.grants import Grant, Grants
from provisioner.permissions.statements import Statement
from provisioner.preflight import domain, ecr, pull_rules, support, usage
from provisioner.prices import price_list
from provisioner.resources import (
    access_log_tail,
    data_sources,
    key_dependents,
    leftovers,
    log_tail,
    origin_key,
    pricing_plans,
    scaling_alarms,
    tags,
    validation_records,
)
from provisioner.resources.ecs import (
    deployment_diagnosis,
    exec_sessions,
    foreign_targets,
    revisions,
    rollout_watch,
    rollouts,
    standalone_tasks,
    stopped_tasks,
)
from provisioner.resources.elbv2 import request_routing
from provisioner.resources.rds import engine_versions

Calls = Mapping[str, tuple[str, ...]]
_LOOKS: Mapping[str, Calls] = {"Facts": data_sources.CALLS, "Versions": engine_versions.CALLS, "Tags": tags.CALLS}
_SEEKS: Mapping[str, Calls] = {**_LOOKS, "PullRules": pull_rules.CALLS, "Strangers": foreign_targets.CALLS}
# For services whose traffic ECS shifts by itself: who owns a rule's weights, and at which lifecycle hook a
# deployment waits. That call names only the deployment, so IAM cannot tell which service it is of.
_SHIFTS: Mapping[str, Calls] = {"Shifts": {"ecs": ("DescribeServiceDeployments", "ListServices")}}
_ALARMS: Mapping[str, Calls] = {"TrackingAlarms": scaling_alarms.CALLS}
_PLANS: Mapping[str, Calls] = {
    **_SEEKS,
    **_ALARMS,
    **_SHIFTS,
    "Versions": {"rds": (*engine_versions.CALLS["rds"], *support.CALLS["rds"])},
    "Preflight": usage.CALLS,
    "Domain": domain.CALLS,
    "Images": ecr.CALLS,
    "PricingPlans": pricing_plans.CALLS,
}
# Lookups that are needed only if the function returns True for the stack.
_ONLY_WITH = {
    "Domain": domain.concerns,
    "Proofs": domain.concerns,
    "PullRules": pull_rules.concerns,
    "Images": pull_rules.concerns,
}
_ENDS: Mapping[str, Calls] = {
    **_LOOKS,
    "Leftovers": leftovers.CALLS,
    "UnderKey": key_dependents.CALLS,
    "PricingPlans": pricing_plans.CALLS,
    "Proofs": validation_records.CALLS,
}
_LOOK = ("read", "unmanaged", "find_siblings")
_SEES = ("read", "read_status")
# Services and lookups that are also called in CloudFront's region, whatever the stack's region is.
_OF_THE_EDGE_TOO = frozenset({"acm", "wafv2", "EdgeLines", "Mutes"})
# The database, to which a tunnel leads.
_DATABASE: Calls = {"rds": ("DescribeDBClusters ml-api-aurora-{suffix}",)}
# Only the reads among the calls for leftovers, as `teardown` deletes them and `verify-gone` does not.
_LEFT: Calls = {
    service: tuple(one for one in operations if reference.known(reference.action_of(service, one.split()[0])).reads)
    for service, operations in leftovers.CALLS.items()
}
_ROLLOUTS: Mapping[str, Calls] = {
    "Facts": data_sources.CALLS,
    # Any image: which one is deployed is known only when the command runs.
    "Image": {"ecr": (*ecr.CALLS["ecr"], *pull_rules.CALLS["ecr"])},
    "Revisions": revisions.CALLS,
    "Rollouts": rollouts.CALLS,
    "RolloutWatch": rollout_watch.CALLS,
    "Stops": stopped_tasks.CALLS,
    "Diagnosis": deployment_diagnosis.CALLS,
    "Health": targets.CALLS,
    "Routing": request_routing.CALLS,
    "Lines": log_tail.CALLS,
    "Alone": standalone_tasks.CALLS,
}


@dataclass(frozen=True)
class CommandPermissions:
    """The needs of one command: methods of resource types, and other calls by a word for a statement's id."""

    verbs: tuple[str, ...] = ()
    calls: Mapping[str, Calls] = field(default_factory=dict)
    # By resource type, the methods that it calls of that type only.
    of_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # It covers every resource that any settings could have declared.
    ending: bool = False
    # It changes something, in AWS and in the state.
    writes: bool = False
    # It is for an administrator, and not part of the policies for the people who run the stack.
    apart: bool = False


COMMAND_PERMISSIONS: Mapping[str, CommandPermissions] = {
    "plan": CommandPermissions(
        (*_LOOK, "deletion_protected", "write_protections"), {**_PLANS, "Prices": price_list.CALLS}
    ),
    "status": CommandPermissions(
        _SEES, {"Tags": tags.CALLS, **_ALARMS, **_SHIFTS, **topics.CALLS, "Borders": reads.ACL_CALLS}
    ),
    "drift": CommandPermissions((*_LOOK, "read_status"), {**_SEEKS, **_ALARMS, **_SHIFTS}),
    "apply": CommandPermissions(
        (
            *_LOOK,
            "create",
            "read_before_replace",
            "update",
            "retag",
            "remove_unmanaged",
            "delete",
            "blockers",
            "deletion_protected",
            "write_protections",
            "failure",
            "is_stale",
        ),
        {**_PLANS, "Diagnosis": deployment_diagnosis.CALLS, "Proofs": validation_records.CALLS},
        writes=True,
    ),
    "deploy": CommandPermissions(
        calls=_ROLLOUTS,
        of_kinds={
            "Service": ("read", "update", "retag", "failure", "is_stale"),
            "TaskDefinition": ("read", "create", "retag"),
            "ScalableTarget": ("read", "create", "update"),
            # The execution role, whose run marker (a tag) shows a run on another machine.
            "Role": ("read",),
        },
        writes=True,
    ),
    "logs": CommandPermissions(
        calls={
            "Lines": log_tail.CALLS,
            "EdgeLines": log_tail.EDGE_CALLS,
            "Records": access_log_tail.CALLS,
        }
    ),
    "exec": CommandPermissions(calls={"Sessions": exec_sessions.CALLS, "Database": _DATABASE}),
    "doctor": CommandPermissions(
        _SEES, {"Tags": tags.CALLS, **_ALARMS, "Doctor": reads.CALLS, "Mutes": muted_alarms.CALLS}
    ),
    "rotate-origin-secret": CommandPermissions(
        _LOOK,
        {**_SEEKS, "Key": origin_key.CALLS},
        {"Distribution": ("read_before_replace", "update"), "ListenerRule": ("update",)},
        writes=True,
    ),
    "teardown": CommandPermissions(
        (*_LOOK, "delete", "blockers", "protections", "deletion_protected"),
        _ENDS,
        # It sets its run marker, a tag, on the execution role while it runs.
        {"Role": ("retag",)},
        ending=True,
        writes=True,
    ),
    "verify-gone": CommandPermissions(
        ("read",),
        {**_LOOKS, **_SHIFTS, "Leftovers": _LEFT, "UnderKey": key_dependents.CALLS},
        ending=True,
    ),
    "bootstrap": CommandPermissions(calls={"Bootstrap": pipeline.CALLS}, apart=True),
}


def grants_for(arns: Grants, purpose: str) -> Iterator[Grant]:
    """Yield all grants that a command needs."""
    wanted = COMMAND_PERMISSIONS[purpose]
    if wanted.verbs:
        yield from arns.of(wanted.verbs)
    for type_name, actions in wanted.of_kinds.items():
        yield from arns.of(actions, type_name)
    for word, calls in wanted.calls.items():
        if word in _ONLY_WITH and not _ONLY_WITH[word](arns.stack):
            continue
        yield from _looked_up(arns, word, calls)


def _looked_up(ground: Grants, word: str, calls: Calls) -> Iterator[Grant]:
    """Yield the grants for calls outside the resource types, in each region where their service is called.

    `calls` maps a service to operations. An operation may be followed by the names of resources, or by
    `type=name` to limit it to that type.
    """
    own = ground.stack.region
    for service, operations in calls.items():
        regions = dict.fromkeys((own, tags.GLOBAL_REGION) if {service, word} & _OF_THE_EDGE_TOO else (own,))
        for declared in operations:
            operation, *forms = declared.format(suffix=ground.stack.suffix).split()
            known = reference.known(reference.action_of(service, operation))
            arns = [arn for region in regions for arn in _arns(known, forms, _place(ground, region))]
            yield from (Grant(known.name, arn, word) for arn in arns or ["*"])


def _arns(known: Action, forms: list[str], place: dict[str, str]) -> Iterator[str]:
    """Yield the ARNs that an operation needs.

    These are the ARNs with the names in `forms`, of every type that the action concerns; all names if there
    are none. With `type=name` in `forms`, only the types that are given there count.
    """
    of_types = dict(form.split("=", 1) for form in forms if "=" in form)
    for on in known.on:
        if of_types and on.type in of_types:
            # The ARN of a resource that AWS owns has no account, or one of AWS's accounts.
            where = {**place, "Account": "*"} if of_types[on.type].startswith("AWS-") else place
            yield reference.arn(known.prefix, on.type, (of_types[on.type],), where)
        elif not of_types and (on.always or not known.whole(on)):
            yield reference.arn(known.prefix, on.type, tuple(forms), place)


def _place(arns: Grants, region: str) -> dict[str, str]:
    """Return the partition, region and account of an ARN, by the names of the placeholders."""
    return {"Partition": arns.partition, "Region": region, "Account": arns.account}


_SCHEME = "s3://"
# Conditional writes are PutObject and need GetObject (S3 user guide, "Conditional writes"). Without
# ListBucket, S3 does not say that an object does not exist.
_READ, _WRITE = ("s3:GetObject",), ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def state_grants(address: str, partition: str, *, writing: bool) -> list[Statement]:
    """Return the statements for the state bucket and the keys under its prefix; [] for a state in a folder.

    Args:
        address: Where the state is: `s3://bucket/prefix`, or a folder.
        partition: The partition of the bucket's ARN.
        writing: Whether the command changes the state.

    """
    if not address.startswith(_SCHEME):
        return []
    bucket, _, prefix = address.removeprefix(_SCHEME).partition("/")
    arn, keys = f"arn:{partition}:s3:::{bucket}", "/".join(filter(None, (prefix.strip("/"), "*")))
    return [
        {"Sid": "StateListed", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]},
        {
            "Sid": "StateKept" if writing else "StateRead",
            "Effect": "Allow",
            "Action": list(_WRITE if writing else _READ),
            "Resource": [f"{arn}/{keys}"],
        },
    ]
