"""Recently created resources: AWS does not know them everywhere yet, and reports that in many ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from provisioner.engine.clients import Clients
from provisioner.engine.faults import ErrorCategory, categorize
from provisioner.engine.refused import matches_codes
from provisioner.engine.resource_type import ResourceType
from provisioner.engine.target import ManagedResource
from provisioner.engine.traits import Codes
from state.stack_state import ResourceState

# Seconds. A call may not find a resource that was created less than FRESH ago (terraform-provider-aws
# ec2/wait.go: EC2 propagation 5 min). A call that is refused because of a new resource is retried until that
# is KNOWN_WITHIN old (the same provider, iam/consts.go: propagation 2 min), or SLACK on an emulator without
# delays.
RECENT_SECONDS, KNOWN_WITHIN, SLACK = 300.0, 120.0, 5.0
# Errors that are permanent although they name a new resource: it exists already, or there are too many.
_LASTING = re.compile(r"already|duplicate|conflict|in ?use|limit|quota|exceed", re.IGNORECASE)
# A character that AWS's ids, this stack's names and ARNs contain, and everyday words do not.
_TELLING = re.compile(r"[-/:]")


@dataclass(frozen=True)
class _RecentResource:
    """A recently created resource, and the second by the run's monotonic clock at which it was created."""

    kind: ResourceType
    at: float
    names: tuple[str, ...]


class RecentResources:
    """The recently created resources, because of which other calls may be refused; shared by all threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._clock = clients.clock
        self._born: dict[str, _RecentResource] = {}

    def add(self, managed: ManagedResource, made: float = 0.0) -> None:
        """Remember a resource that was created at the wall-clock second `made`; 0 stands for now."""
        self._add(managed.spec.logical_id, managed.type, (managed.spec.id, managed.spec.aws_name), made)

    def recall(self, resource_states: Mapping[str, ResourceState], resource_types: Mapping[str, ResourceType]) -> None:
        """Remember the resources that earlier runs have created recently, from the state."""
        for logical_id, resource_state in resource_states.items():
            if self.is_recent(resource_state.created_at) and resource_state.type_name in resource_types:
                self._add(
                    logical_id,
                    resource_types[resource_state.type_name],
                    (resource_state.id, resource_state.aws_name),
                    resource_state.created_at,
                )

    def is_recent(self, made: float) -> bool:
        """Return whether other calls may not know yet what was created at the wall-clock second `made`."""
        return bool(made) and abs(self._clock.wall() - made) < RECENT_SECONDS

    def recent_types(self, names: tuple[str, ...]) -> Iterator[tuple[ResourceType, float]]:
        """Return the types of those resources in `names` that are remembered, and when they were created."""
        known = (self._born.get(name) for name in names)
        return ((one.kind, one.at) for one in known if one)

    def not_found_codes(self, names: tuple[str, ...]) -> Codes:
        """Return the not-found codes of those resources in `names` that reads may still miss."""
        now = self._clock.now()
        return frozenset().union(
            *(
                resource_type.not_found_codes
                for resource_type, at in self.recent_types(names)
                if now - at < RECENT_SECONDS
            )
        )

    def may_explain(self, error: BaseException) -> bool:
        """Return whether a call may have been refused only because a recent resource is not known everywhere.

        The error is a refusal or a denial that names the resource, or it has the code by which the services
        report a resource of its type that they do not know.
        """
        if categorize(error) not in (ErrorCategory.REFUSED, ErrorCategory.DENIED) or _LASTING.search(str(error)):
            return False
        window, now = self._clients.aws.hides(KNOWN_WITHIN) + SLACK, self._clock.now()
        return any(
            matches_codes(error, one.kind.unknown_reference_codes)
            or any(_mentions(str(error), name) for name in one.names)
            for one in list(self._born.values())
            if now - one.at < window
        )

    def _add(self, logical_id: str, resource_type: ResourceType, told: tuple[str, ...], made: float) -> None:
        age = max(0.0, self._clock.wall() - made) if made else 0.0
        names = {part for name in told for part in name.split("|") if _TELLING.search(part)}
        self._born[logical_id] = _RecentResource(resource_type, self._clock.now() - age, tuple(names))


def _mentions(message: str, name: str) -> bool:
    """Return whether the message contains the name as a whole, by itself or as part of an ARN."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message))
