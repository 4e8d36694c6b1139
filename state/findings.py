"""What a plan has found out about a stack and the state does not record yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from state.stack_state import ResourceState, StackState


@dataclass(frozen=True)
class StateFindings:
    """What a plan has found out and the state does not record yet.

    A plan leaves the state as it is. The run that carries the plan out records its findings first, under the lock.
    """

    # The values looked up for the stack, as the state records them; None if none were looked up.
    lookups: Mapping[str, Any] | None = None
    # Resource states, by key, that take the place of recorded ones: task definition revisions of a `deploy`.
    replaced: Mapping[str, ResourceState] = field(default_factory=dict)
    # Keys that change, as (from, to), in this order: a replaced resource is deposed, or a deposed one comes back.
    renamed: tuple[tuple[str, str], ...] = ()
    # Further resources of the stack, by their new keys, that exist beside the declared ones.
    siblings: Mapping[str, ResourceState] = field(default_factory=dict)


NO_FINDINGS = StateFindings()


def with_findings(state: StackState, findings: StateFindings) -> StackState:
    """Return a copy of the state in which the findings are recorded; the state itself is left as it is.

    The resource states are copied, too: a new key changes the dependencies of all that name the old one.
    """
    resources = {
        key: replace(resource_state, depends_on=list(resource_state.depends_on))
        for key, resource_state in {**state.resources, **findings.replaced}.items()
    }
    lookups = state.lookups if findings.lookups is None else findings.lookups
    copy = replace(state, resources=resources, lookups=dict(lookups))
    for old_key, new_key in findings.renamed:
        copy.rename(old_key, new_key)
    copy.resources |= findings.siblings
    return copy
