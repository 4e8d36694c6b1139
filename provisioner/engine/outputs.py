"""The outputs of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.engine.plan import Plan
from provisioner.engine.refs import JsonObject, Ref, Unknown, resolve, value_at


def outputs_of(plan: Plan, actual: Mapping[str, JsonObject]) -> dict[str, str]:
    """Return the outputs whose values are known, resolved from the actual properties `actual`."""
    known = replace(plan, actual=dict(actual), changes={})

    def value(ref: Ref) -> Any:
        found = value_at(known.actual.get(ref.logical_id), ref.path)
        return Unknown(ref) if found is None else found

    resolved = resolve(plan.stack.outputs, value)
    return {name: str(one) for name, one in resolved.items() if not isinstance(one, Unknown)}
