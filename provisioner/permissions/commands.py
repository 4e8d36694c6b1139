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
from provisioner.preflight import aurora, domain, image_pulls, pull_rules, quota_usage
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
    ended_tasks,
    exec_sessions,
    fatal_task_stops,
    foreign_targets,
    revisions,
    rollout_watch,
    rollouts,
    run_revisions,
    standalone_tasks,
)
from provisioner.resources.elbv2 import request_routing
from provisioner.resources.rds import engine_versions

# By service the operations, each of which may be followed by the names of resources; see `_lookup_grants`.
Calls = Mapping[str, tuple[str, ...]]


def _only_reads(service: str, declared: str) -> bool:
    """Return whether a declared call changes nothing."""
    return reference.require_action(reference.action_of(service, declared.split(maxsplit=1)[0])).only_reads


_LOOKUPS: Mapping[str, Calls] = {"Facts": data_sources.CALLS, "Versions": engine_versions.CALLS, "Tags": tags.CALLS}
_READ_LOOKUPS: Mapping[str, Calls] = {**_LOOKUPS, "PullRules": pull_rules.CALLS, "Strangers": foreign_targets.CALLS}
# For services whose traffic ECS shifts by itself: who owns a rule's weights, and at which lifecycle hook a
# deployment waits. That call names only the deployment, so IAM cannot tell which service it is of.
_TRAFFIC_SHIFTS: Mapping[str, Calls] = {"Shifts": {"ecs": ("DescribeServiceDeployments", "ListServices")}}
_ALARMS: Mapping[str, Calls] = {"TrackingAlarms": scaling_alarms.CALLS}
_PLAN_LOOKUPS: Mapping[str, Calls] = {
    **_READ_LOOKUPS,
    **_ALARMS,
    **_TRAFFIC_SHIFTS,
    "Versions": {"rds": (*engine_versions.CALLS["rds"], *aurora.CALLS["rds"])},
    "Preflight": quota_usage.CALLS,
    "Domain": domain.CALLS,
    "Images": image_pulls.CALLS,
    "PricingPlans": pricing_plans.CALLS,
}
# Lookups that are needed only if the function returns True for the stack.
_NEEDED_IF = {
    "Domain": domain.has_domain,
    "Proofs": domain.has_domain,
    "PullRules": pull_rules.has_private_image,
    "Images": pull_rules.has_private_image,
}
_TEARDOWN_LOOKUPS: Mapping[str, Calls] = {
    **_LOOKUPS,
    "Leftovers": leftovers.CALLS,
    "UnderKey": key_dependents.CALLS,
    "PricingPlans": pricing_plans.CALLS,
    "Proofs": validation_records.CALLS,
}
_PLAN_METHODS = ("read", "unmanaged", "find_siblings")
_STATUS_METHODS = ("read", "read_status")
# Services and lookups that are also called in CloudFront's region, whatever the stack's region is.
_IN_EDGE_REGION_TOO = frozenset({"acm", "wafv2", "EdgeLines", "Mutes"})
# The database, to which a tunnel leads.
_DATABASE: Calls = {"rds": ("DescribeDBClusters ml-api-aurora-{suffix}",)}
# Only the reads among the calls for leftovers, as `teardown` deletes them and `verify-gone` does not.
_LEFTOVER_READS: Calls = {
    service: tuple(declared for declared in operations if _only_reads(service, declared))
    for service, operations in leftovers.CALLS.items()
}
_DEPLOY_LOOKUPS: Mapping[str, Calls] = {
    "Facts": data_sources.CALLS,
    # Any image: which one is deployed is known only when the command runs.
    "Image": {"ecr": (*image_pulls.CALLS["ecr"], *pull_rules.CALLS["ecr"])},
    "Revisions": revisions.CALLS,
    "Rollouts": rollouts.CALLS,
    "RolloutWatch": rollout_watch.CALLS,
    "Stops": fatal_task_stops.CALLS,
    "Diagnosis": deployment_diagnosis.CALLS,
    "Health": targets.CALLS,
    "Routing": request_routing.CALLS,
    "Lines": log_tail.CALLS,
    "Alone": standalone_tasks.CALLS,
    "RunRevisions": run_revisions.CALLS,
}


@dataclass(frozen=True)
class CommandPermissions:
    """The needs of one command: methods of resource types, and other calls by a word that names them.

    Args:
        methods: The methods that it calls of every resource type.
        calls: Its other calls by service, by a word that names them.
        methods_by_type: By resource type, the methods that it calls of that type only.
        covers_undeclared: Whether it covers every resource that any settings could have declared.
        changes_state: Whether it changes something, in AWS and in the state.
        is_for_administrator: Whether it is for an administrator, and not part of the policies for the people who
            run the stack.

    """

    methods: tuple[str, ...] = ()
    calls: Mapping[str, Calls] = field(default_factory=dict)
    methods_by_type: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    covers_undeclared: bool = False
    changes_state: bool = False
    is_for_administrator: bool = False


COMMAND_PERMISSIONS: Mapping[str, CommandPermissions] = {
    "plan": CommandPermissions(
        (*_PLAN_METHODS, "deletion_protected", "write_protections"), {**_PLAN_LOOKUPS, "Prices": price_list.CALLS}
    ),
    "status": CommandPermissions(
        _STATUS_METHODS, {"Tags": tags.CALLS, **_ALARMS, **_TRAFFIC_SHIFTS, **topics.CALLS, "Borders": reads.ACL_CALLS}
    ),
    "drift": CommandPermissions((*_PLAN_METHODS, "read_status"), {**_READ_LOOKUPS, **_ALARMS, **_TRAFFIC_SHIFTS}),
    "apply": CommandPermissions(
        (
            *_PLAN_METHODS,
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
        {**_PLAN_LOOKUPS, "Diagnosis": deployment_diagnosis.CALLS, "Proofs": validation_records.CALLS},
        changes_state=True,
    ),
    "deploy": CommandPermissions(
        calls=_DEPLOY_LOOKUPS,
        methods_by_type={
            "Service": ("read", "update", "retag", "failure", "is_stale"),
            "TaskDefinition": ("read", "create", "retag"),
            "ScalableTarget": ("read", "create", "update"),
            # The execution role, whose run marker (a tag) shows a run on another machine.
            "Role": ("read",),
        },
        changes_state=True,
    ),
    "logs": CommandPermissions(
        calls={
            "Lines": log_tail.CALLS,
            "EdgeLines": log_tail.EDGE_CALLS,
            "Records": access_log_tail.CALLS,
            "EndedTasks": ended_tasks.CALLS,
        }
    ),
    "exec": CommandPermissions(calls={"Sessions": exec_sessions.CALLS, "Database": _DATABASE}),
    "doctor": CommandPermissions(
        _STATUS_METHODS, {"Tags": tags.CALLS, **_ALARMS, "Doctor": reads.CALLS, "Mutes": muted_alarms.CALLS}
    ),
    "rotate-origin-secret": CommandPermissions(
        _PLAN_METHODS,
        {**_READ_LOOKUPS, "Key": origin_key.CALLS},
        {"Distribution": ("read_before_replace", "update"), "ListenerRule": ("update",)},
        changes_state=True,
    ),
    "teardown": CommandPermissions(
        (*_PLAN_METHODS, "delete", "blockers", "protections", "deletion_protected"),
        _TEARDOWN_LOOKUPS,
        # It sets its run marker, a tag, on the execution role while it runs.
        {"Role": ("retag",)},
        covers_undeclared=True,
        changes_state=True,
    ),
    "verify-gone": CommandPermissions(
        ("read",),
        {**_LOOKUPS, **_TRAFFIC_SHIFTS, "Leftovers": _LEFTOVER_READS, "UnderKey": key_dependents.CALLS},
        covers_undeclared=True,
    ),
    "bootstrap": CommandPermissions(calls={"Bootstrap": pipeline.CALLS}, is_for_administrator=True),
}


def grants_for(grants: Grants, command: str) -> Iterator[Grant]:
    """Yield all grants that a command needs."""
    permissions = COMMAND_PERMISSIONS[command]
    if permissions.methods:
        yield from grants.grants_of(permissions.methods)
    for type_name, methods in permissions.methods_by_type.items():
        yield from grants.grants_of(methods, type_name)
    for label, calls in permissions.calls.items():
        if label in _NEEDED_IF and not _NEEDED_IF[label](grants.stack):
            continue
        yield from _lookup_grants(grants, label, calls)


def _lookup_grants(grants: Grants, label: str, calls: Calls) -> Iterator[Grant]:
    """Yield the grants for calls outside the resource types, in each region where their service is called.

    `calls` maps a service to operations. An operation may be followed by the names of resources, or by
    `type=name` to limit it to that type.
    """
    stack_region = grants.stack.region
    for service, operations in calls.items():
        regions = [stack_region]
        if {service, label} & _IN_EDGE_REGION_TOO and stack_region != tags.GLOBAL_REGION:
            regions.append(tags.GLOBAL_REGION)
        for declaration in operations:
            operation, *names = declaration.format(suffix=grants.stack.suffix).split()
            action = reference.require_action(reference.action_of(service, operation))
            arns = [arn for region in regions for arn in _lookup_arns(action, names, _arn_location(grants, region))]
            yield from (Grant(action.name, arn) for arn in arns or ["*"])


def _lookup_arns(action: Action, names: list[str], location: dict[str, str]) -> Iterator[str]:
    """Yield the ARNs that an operation needs.

    These are the ARNs with the names in `names`, of every type that the action concerns; all names if there
    are none. With `type=name` in `names`, only the types that are given there count.
    """
    names_by_type = dict(name.split("=", 1) for name in names if "=" in name)
    for target in action.targets:
        if name := names_by_type.get(target.type):
            # The ARN of a resource that AWS owns has no account, or one of AWS's accounts.
            account = "*" if name.startswith("AWS-") else location["Account"]
            yield reference.arn(action.prefix, target.type, (name,), {**location, "Account": account})
        elif not names_by_type and (target.is_required or not action.covers_all(target)):
            yield reference.arn(action.prefix, target.type, tuple(names), location)


def _arn_location(grants: Grants, region: str) -> dict[str, str]:
    """Return the partition, region and account of an ARN, by the names of the placeholders."""
    return {"Partition": grants.partition, "Region": region, "Account": grants.account}


_SCHEME = "s3://"
# Conditional writes are PutObject and need GetObject (S3 user guide, "Conditional writes"). Without
# ListBucket, S3 does not say that an object does not exist.
_STATE_READS, _STATE_WRITES = ("s3:GetObject",), ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def state_grants(address: str, partition: str, *, changes_state: bool) -> list[Statement]:
    """Return the statements for the state bucket and the keys under its prefix; [] for a state in a folder.

    Args:
        address: Where the state is: `s3://bucket/prefix`, or a folder.
        partition: The partition of the bucket's ARN.
        changes_state: Whether the command changes the state.

    """
    if not address.startswith(_SCHEME):
        return []
    bucket, _, prefix = address.removeprefix(_SCHEME).partition("/")
    arn, keys = f"arn:{partition}:s3:::{bucket}", "/".join(filter(None, (prefix.strip("/"), "*")))
    return [
        {"Sid": "StateList", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]},
        {
            "Sid": "StateChange" if changes_state else "StateRead",
            "Effect": "Allow",
            "Action": list(_STATE_WRITES if changes_state else _STATE_READS),
            "Resource": [f"{arn}/{keys}"],
        },
    ]
