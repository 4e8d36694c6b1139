"""Check of the deletions of a plan: which deleted resources another one, that stays, relies on."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.planning.plan import Plan
from provisioner.preflight.findings import Finding


def relied_on(plan: Plan) -> Iterator[Finding]:
    """Yield the resources that a plan deletes and that another resource relies on by its actual properties.

    It makes no call.
    """
    removed = {
        change.id: f"{change.step}/{name}"
        for name, change in plan.changes.items()
        if change.action in ("delete", "replace") and change.id
    }
    whole = plan.unfiltered or plan
    for resource in whole.stack if removed else ():
        for id_, found in resource.type.relies_on(whole.actual.get(resource.logical_id, {})).items():
            if id_ in removed:
                yield Finding(removed[id_], found.what, found.hint, blocks=not found.uncertain)
