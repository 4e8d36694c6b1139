"""The actual state of each resource in a run, the waiting for what is not known yet, and the stack's outputs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject, Ref, Unknown, resolve, value_at
from provisioner.errors import WaitTimeout

# Seconds to wait for a value that AWS fills in later than the id, such as an endpoint.
_VALUE_TIMEOUT_SECONDS = 1800.0


class ActualStates:
    """The last known properties of every resource; threads that work on resources write and read it."""

    def __init__(self, actual: Mapping[str, JsonObject]) -> None:
        self.properties: dict[str, JsonObject] = dict(actual)
        self._closed: set[str] = set()
        self._changed = threading.Condition()

    def record(self, managed: ManagedResource, actual: JsonObject) -> None:
        """Merge properties that AWS returned for a resource into the known ones."""
        with self._changed:
            merged = {**self.properties.get(managed.spec.logical_id, {}), **actual}
            self.properties[managed.spec.logical_id] = {**merged, "id": managed.spec.id}
            self._changed.notify_all()

    def close(self, logical_id: str) -> None:
        """Note that no more properties of a resource will become known, so that nobody waits for them."""
        with self._changed:
            self._closed.add(logical_id)
            self._changed.notify_all()

    def wait_for(self, ref: Ref) -> Any:
        """Return the value of a reference, waiting until AWS has filled it in.

        Raises:
            WaitTimeout: The value did not become known in time, or never will.

        """

        def settled() -> bool:
            return (
                value_at(self.properties.get(ref.logical_id, {}), ref.path) is not None
                or ref.logical_id in self._closed
            )

        with self._changed:
            self._changed.wait_for(settled, timeout=_VALUE_TIMEOUT_SECONDS)
            value = value_at(self.properties.get(ref.logical_id, {}), ref.path)
        if value is None:
            raise WaitTimeout(f"AWS does not give {ref}.", "Run the same command again: it looks again.")
        return value


def outputs_of(plan: Plan, actual: Mapping[str, JsonObject]) -> dict[str, str]:
    """Return the outputs whose values are known, resolved from the actual properties `actual`."""
    known = replace(plan, actual=dict(actual), changes={})

    def value(ref: Ref) -> Any:
        known_value = value_at(known.actual.get(ref.logical_id), ref.path)
        return Unknown(ref) if known_value is None else known_value

    resolved = resolve(plan.stack.outputs, value)
    return {name: str(output) for name, output in resolved.items() if not isinstance(output, Unknown)}
