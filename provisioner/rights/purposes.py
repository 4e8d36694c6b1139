"""What each command makes of the kinds, and what it asks AWS besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.doctor import rounds
from provisioner.embedded import reference
from provisioner.health import look
from provisioner.kinds import facts, leftovers, tagging, under_key, versions
from provisioner.kinds.ecs import diagnosis
from provisioner.preflight import usage
from provisioner.prices import asked
from provisioner.rights.grants import Grant, Ground

Calls = Mapping[str, tuple[str, ...]]
_LOOKS: Mapping[str, Calls] = {"Facts": facts.CALLS, "Versions": versions.CALLS, "Tags": tagging.CALLS}
_PLANS: Mapping[str, Calls] = {**_LOOKS, "Preflight": usage.CALLS}
_ENDS: Mapping[str, Calls] = {**_LOOKS, "Leftovers": leftovers.CALLS, "UnderKey": under_key.CALLS}
_LOOK = ("read", "extras")
# What lies where CloudFront does, whatever the stack's region.
_OF_THE_EDGE_TOO = ("acm", "wafv2")
# The verbs of a kind, and by a word for the statement's id what is looked up without one.
PURPOSES: Mapping[str, tuple[tuple[str, ...], Mapping[str, Calls]]] = {
    "plan": (_LOOK, {**_PLANS, "Prices": asked.CALLS}),
    "status": (("read",), {"Tags": tagging.CALLS, **look.CALLS}),
    "apply": (
        (*_LOOK, "create", "update", "retag", "remove", "delete", "holders", "failure", "deceives"),
        {**_PLANS, "Diagnosis": diagnosis.CALLS},
    ),
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
    """All of a type, or what bears a name of the form that stands behind the operation."""
    own = ground.stack.region
    for service, operations in calls.items():
        regions = dict.fromkeys((own, tagging.GLOBAL_REGION) if service in _OF_THE_EDGE_TOO else (own,))
        for operation, _, form in (one.partition(" ") for one in operations):
            known = reference.known(reference.action_of(service, operation))
            fills = (form.format(suffix=ground.stack.suffix),) if form else ()
            named = (on for on in known.on if on.always or not known.whole(on))
            arns = [
                reference.arn(known.prefix, on.type, fills, _place(ground, region))
                for on in named
                for region in regions
            ]
            yield from (Grant(known.name, arn, word) for arn in arns or ["*"])


def _place(ground: Ground, region: str) -> dict[str, str]:
    return {"Partition": ground.partition, "Region": region, "Account": ground.account}
