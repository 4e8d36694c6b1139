"""What each command makes of the kinds, and what it asks AWS besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from provisioner.doctor import crossings, rounds
from provisioner.doctor.asked import alarms as mutes
from provisioner.embedded import reference
from provisioner.embedded.reference import Action
from provisioner.health import look, targets
from provisioner.kinds import (
    facts,
    leftovers,
    log_events,
    origin_key,
    pricing_plans,
    proof_users,
    request_records,
    tagging,
    tracking_alarms,
    under_key,
    versions,
)
from provisioner.kinds.ecs import (
    diagnosis,
    lone_tasks,
    revisions,
    rollouts,
    running,
    sessions,
    stops,
    strangers,
)
from provisioner.kinds.elbv2 import routing
from provisioner.preflight import domain, ecr, pull_rules, support, usage
from provisioner.prices import asked
from provisioner.rights import pipeline
from provisioner.rights.grants import Grant, Grants

Calls = Mapping[str, tuple[str, ...]]
_LOOKS: Mapping[str, Calls] = {"Facts": facts.CALLS, "Versions": versions.CALLS, "Tags": tagging.CALLS}
_SEEKS: Mapping[str, Calls] = {**_LOOKS, "PullRules": pull_rules.CALLS, "Strangers": strangers.CALLS}
# Where ECS leads requests over by itself: whose a rule's weights are, and at which hook a deployment waits.
# The latter is asked by the deployment alone: IAM is not told which service it is of.
_SHIFTS: Mapping[str, Calls] = {"Shifts": {"ecs": ("DescribeServiceDeployments", "ListServices")}}
_ALARMS: Mapping[str, Calls] = {"TrackingAlarms": tracking_alarms.CALLS}
_PLANS: Mapping[str, Calls] = {
    **_SEEKS,
    **_ALARMS,
    **_SHIFTS,
    "Versions": {"rds": (*versions.CALLS["rds"], *support.CALLS["rds"])},
    "Preflight": usage.CALLS,
    "Domain": domain.CALLS,
    "Images": ecr.CALLS,
    "PricingPlans": pricing_plans.CALLS,
}
# What is looked up only where the stack has what it is about.
_ONLY_WITH = {
    "Domain": domain.concerns,
    "Proofs": domain.concerns,
    "PullRules": pull_rules.concerns,
    "Images": pull_rules.concerns,
}
_ENDS: Mapping[str, Calls] = {
    **_LOOKS,
    "Leftovers": leftovers.CALLS,
    "UnderKey": under_key.CALLS,
    "PricingPlans": pricing_plans.CALLS,
    "Proofs": proof_users.CALLS,
}
_LOOK = ("read", "extras", "others")
_SEES = ("read", "observe")
# What lies where CloudFront does, whatever the stack's region.
_OF_THE_EDGE_TOO = frozenset({"acm", "wafv2", "EdgeLines", "Mutes"})
# Where a tunnel leads to.
_DATABASE: Calls = {"rds": ("DescribeDBClusters ml-api-aurora-{suffix}",)}
# Reading alone: what of it is swept up, a teardown sweeps.
_LEFT: Calls = {
    service: tuple(
        one for one in operations if reference.known(reference.action_of(service, one.split()[0])).reads
    )
    for service, operations in leftovers.CALLS.items()
}
_ROLLOUTS: Mapping[str, Calls] = {
    "Facts": facts.CALLS,
    # Which image is shipped, only the command tells.
    "Image": {"ecr": (*ecr.CALLS["ecr"], *pull_rules.CALLS["ecr"])},
    "Revisions": revisions.CALLS,
    "Rollouts": rollouts.CALLS,
    "Stops": stops.CALLS,
    "Diagnosis": diagnosis.CALLS,
    "Health": targets.CALLS,
    "Routing": routing.CALLS,
    "Lines": log_events.CALLS,
    "Alone": lone_tasks.CALLS,
}


@dataclass(frozen=True)
class Purpose:
    """What one command makes of the kinds, and by a word for the statement's id what it asks besides."""

    verbs: tuple[str, ...] = ()
    calls: Mapping[str, Calls] = field(default_factory=dict)
    # The verbs that it makes use of in some kinds alone.
    of_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # It speaks of all that any settings could have declared.
    ending: bool = False
    # It changes something: AWS, and the state.
    writes: bool = False
    # It is an administrator's, who stands beside those that run the stack.
    apart: bool = False


PURPOSES: Mapping[str, Purpose] = {
    "plan": Purpose(_LOOK, {**_PLANS, "Prices": asked.CALLS}),
    "status": Purpose(
        _SEES, {"Tags": tagging.CALLS, **_ALARMS, **_SHIFTS, **look.CALLS, "Borders": crossings.CALLS}
    ),
    "drift": Purpose((*_LOOK, "observe"), {**_SEEKS, **_ALARMS, **_SHIFTS}),
    "apply": Purpose(
        (
            *_LOOK,
            "create",
            "standing",
            "update",
            "retag",
            "remove",
            "delete",
            "holders",
            "failure",
            "deceives",
        ),
        {**_PLANS, "Diagnosis": diagnosis.CALLS, "Proofs": proof_users.CALLS},
        writes=True,
    ),
    "deploy": Purpose(
        calls=_ROLLOUTS,
        of_kinds={
            "Service": ("read", "update", "retag", "failure", "deceives"),
            "TaskDefinition": ("read", "create", "retag"),
            "ScalableTarget": ("read", "create", "update"),
            # The execution role, on which another machine's run has its mark.
            "Role": ("read",),
        },
        writes=True,
    ),
    "logs": Purpose(
        calls={
            "Lines": log_events.CALLS,
            "EdgeLines": log_events.EDGE_CALLS,
            "Records": request_records.CALLS,
        }
    ),
    "exec": Purpose(calls={"Running": running.CALLS, "Sessions": sessions.CALLS, "Database": _DATABASE}),
    "doctor": Purpose(
        _SEES, {"Tags": tagging.CALLS, **_ALARMS, "Doctor": rounds.CALLS, "Mutes": mutes.CALLS}
    ),
    "rotate-origin-secret": Purpose(
        _LOOK,
        {**_SEEKS, "Key": origin_key.CALLS},
        {"Distribution": ("standing", "update"), "ListenerRule": ("update",)},
        writes=True,
    ),
    "teardown": Purpose(
        (*_LOOK, "delete", "holders", "protections"),
        _ENDS,
        # It bears its mark on the execution role meanwhile.
        {"Role": ("retag",)},
        ending=True,
        writes=True,
    ),
    "verify-gone": Purpose(
        ("read",),
        {**_LOOKS, **_SHIFTS, "Leftovers": _LEFT, "UnderKey": under_key.CALLS},
        ending=True,
    ),
    "bootstrap": Purpose(calls={"Bootstrap": pipeline.CALLS}, apart=True),
}


def grants_for(ground: Grants, purpose: str) -> Iterator[Grant]:
    """What a command needs."""
    wanted = PURPOSES[purpose]
    if wanted.verbs:
        yield from ground.of(wanted.verbs)
    for kind, verbs in wanted.of_kinds.items():
        yield from ground.of(verbs, kind)
    for word, calls in wanted.calls.items():
        if word in _ONLY_WITH and not _ONLY_WITH[word](ground.stack):
            continue
        yield from _looked_up(ground, word, calls)


def _looked_up(ground: Grants, word: str, calls: Calls) -> Iterator[Grant]:
    """What is declared of each operation, in each region where its service is asked."""
    own = ground.stack.region
    for service, operations in calls.items():
        regions = dict.fromkeys(
            (own, tagging.GLOBAL_REGION) if {service, word} & _OF_THE_EDGE_TOO else (own,)
        )
        for declared in operations:
            operation, *forms = declared.format(suffix=ground.stack.suffix).split()
            known = reference.known(reference.action_of(service, operation))
            arns = [arn for region in regions for arn in _arns(known, forms, _place(ground, region))]
            yield from (Grant(known.name, arn, word) for arn in arns or ["*"])


def _arns(known: Action, forms: list[str], place: dict[str, str]) -> Iterator[str]:
    """All of each type, or what bears the name behind the operation; with `type=name`, those types alone."""
    of_types = dict(form.split("=", 1) for form in forms if "=" in form)
    for on in known.on:
        if of_types and on.type in of_types:
            # What is AWS's own is in no account, or in one of AWS's.
            where = {**place, "Account": "*"} if of_types[on.type].startswith("AWS-") else place
            yield reference.arn(known.prefix, on.type, (of_types[on.type],), where)
        elif not of_types and (on.always or not known.whole(on)):
            yield reference.arn(known.prefix, on.type, tuple(forms), place)


def _place(ground: Grants, region: str) -> dict[str, str]:
    return {"Partition": ground.partition, "Region": region, "Account": ground.account}
