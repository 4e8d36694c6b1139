"""What each command makes of the kinds, and what it asks AWS besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.doctor import rounds
from provisioner.embedded import reference
from provisioner.embedded.reference import Action
from provisioner.health import look
from provisioner.kinds import facts, leftovers, log_events, request_records, tagging, under_key, versions
from provisioner.kinds.ecs import diagnosis, running, sessions
from provisioner.preflight import usage
from provisioner.prices import asked
from provisioner.rights.grants import Grant, Ground

Calls = Mapping[str, tuple[str, ...]]
_LOOKS: Mapping[str, Calls] = {"Facts": facts.CALLS, "Versions": versions.CALLS, "Tags": tagging.CALLS}
_PLANS: Mapping[str, Calls] = {**_LOOKS, "Preflight": usage.CALLS}
_ENDS: Mapping[str, Calls] = {**_LOOKS, "Leftovers": leftovers.CALLS, "UnderKey": under_key.CALLS}
_LOOK = ("read", "extras", "others")
# What lies where CloudFront does, whatever the stack's region.
_OF_THE_EDGE_TOO = frozenset({"acm", "wafv2", "EdgeLines"})
# Where a tunnel leads to.
_DATABASE: Calls = {"rds": ("DescribeDBClusters ml-api-aurora-{suffix}",)}
# The verbs of a kind, and by a word for the statement's id what is looked up without one.
PURPOSES: Mapping[str, tuple[tuple[str, ...], Mapping[str, Calls]]] = {
    "plan": (_LOOK, {**_PLANS, "Prices": asked.CALLS}),
    "status": (("read",), {"Tags": tagging.CALLS, **look.CALLS}),
    "apply": (
        (*_LOOK, "create", "update", "retag", "remove", "delete", "holders", "failure", "deceives"),
        {**_PLANS, "Diagnosis": diagnosis.CALLS},
    ),
    "logs": (
        (),
        {"Lines": log_events.CALLS, "EdgeLines": log_events.EDGE_CALLS, "Records": request_records.CALLS},
    ),
    "exec": ((), {"Running": running.CALLS, "Sessions": sessions.CALLS, "Database": _DATABASE}),
    "doctor": ((), {"Doctor": rounds.CALLS}),
    "teardown": ((*_LOOK, "delete", "holders"), _ENDS),
}


def grants_for(ground: Ground, purpose: str) -> Iterator[Grant]:
    """What a command needs."""
    verbs, lookups = PURPOSES[purpose]
    if verbs:
        yield from ground.grants(verbs)
    for word, calls in lookups.items():
        yield from _looked_up(ground, word, calls)


def _looked_up(ground: Ground, word: str, calls: Calls) -> Iterator[Grant]:
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


def _place(ground: Ground, region: str) -> dict[str, str]:
    return {"Partition": ground.partition, "Region": region, "Account": ground.account}
