"""Cooldowns: resource types that AWS lets be changed only once in a given time.

A cooldown runs from a change that a run of this state made, or may have made: its reply was lost, but AWS
holds what was asked for. It never runs from the time at which a resource was found. If no such change is
known, AWS is asked. If AWS refuses, the last change was made by somebody else, and the call is retried until
the timeout of the resource type.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from provisioner.engine.calls.error_categories import describe_error
from provisioner.engine.calls.polling import Clock, poll_interval, retry
from provisioner.engine.execution.events import Event, Listener
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.planner import Change
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import RetryLater, matches_codes
from provisioner.engine.types.resource_type import ResourceType
from provisioner.errors import CooldownActive
from state.manager import StateManager
from state.stack_state import ResourceState


def with_cooldown(
    change: Change,
    resource_type: ResourceType,
    resource_state: ResourceState | None,
    actual: tuple[JsonObject, JsonObject],
    now: float,
    speed: float,
) -> Change:
    """Return a planned update with the time at which it will be done, if a cooldown delays it.

    Args:
        change: The planned change; any other action than an update is returned as it is.
        resource_type: The resource type, which has the cooldown.
        resource_state: The recorded state of the resource, with the time of its last change.
        actual: The actual and the desired properties, in this order.
        now: The present wall-clock second.
        speed: The speed factor of the emulator; 1 for AWS.

    """
    if change.action != "update" or not resource_type.cooldown:
        return change
    later = (resource_type.change_count(*actual) - 1) * resource_type.cooldown * speed
    done = max(now, _free_at(resource_type, resource_state, speed, now)) + later
    return (
        replace(change, reason=f"{_cooldown_description(resource_type)}: done from {_minute_of(done)}")
        if done > now
        else change
    )


def last_change(resource_type: ResourceType, resource_state: ResourceState | None) -> float:
    """Return the wall-clock second of the last change that AWS has accepted from this stack's runs.

    It is 0 for a resource type without a cooldown. It is only called once AWS holds the desired properties:
    then an open intent must have been carried out.
    """
    if not resource_state or not resource_type.cooldown:
        return 0.0
    return max(resource_state.changed_at, resource_state.intent.started_at if resource_state.intent else 0.0)


class Cooldown:
    """The cooldown of one resource, which delays a change until AWS accepts it.

    For a resource type without a cooldown it does nothing.
    """

    def __init__(
        self, state_manager: StateManager, clock: Clock, speed: float, managed: ManagedResource, listen: Listener
    ) -> None:
        self._ledger = state_manager
        self._clock = clock
        self._pace = speed
        self._target = managed
        self._listen = listen
        self._kind, self._node = managed.type, managed.spec.logical_id
        # An earlier run may have been killed after a change: AWS may count from that one.
        self._last = last_change(self._kind, state_manager.get(self._node))

    def wait(self) -> None:
        """Wait until AWS accepts another change.

        Raises:
            NotBefore: The wait would be longer than the timeout of the resource type.

        """
        now = self._clock.wall()
        free = _free_at(self._kind, self._ledger.get(self._node), self._pace, now)
        if free - now > self._kind.timeout:
            raise _not_before(self._target, _minute_of(free))
        if free > now:
            self._listen(Event("waiting", self._node, "update", _cooldown_description(self._kind), free - now))
            self._clock.sleep(free - now)

    def call(self, act: Callable[[], JsonObject]) -> JsonObject:
        """Make the change and record when; if AWS refuses it because of the cooldown, try again later.

        Args:
            act: The function that makes the change and returns AWS's reply.

        Raises:
            NotBefore: AWS accepts the change, or the rest of it, only after the timeout of the resource type.

        """
        if not self._kind.cooldown:
            return act()
        try:
            reply = retry(
                act,
                when=self._is_soon,
                clock=self._clock,
                timeout=self._kind.timeout,
                told=lambda error, seconds: self._listen(
                    Event("retrying", self._node, "update", describe_error(error), seconds)
                ),
                steps=self._step,
            )
        except RetryLater as error:
            now = self._clock.wall()
            self._ledger.record_change(self._node, now, more=True)
            raise _not_before(self._target, _minute_of(now + self._kind.cooldown * self._pace)) from error
        except Exception as error:
            if not matches_codes(error, self._kind.cooldown_codes):
                raise
            self._ledger.record_change(self._node, self._last, more=True)
            raise _not_before(self._target, self._when()) from error
        self._ledger.record_change(self._node, self._clock.wall(), more=False)
        return reply

    def _left(self) -> float:
        """Return the seconds until AWS accepts another change, counted from the last one known; else 0."""
        if not self._last:
            return 0.0
        return max(0.0, self._last + self._kind.cooldown * self._pace - self._clock.wall())

    def _is_soon(self, error: BaseException) -> bool:
        return matches_codes(error, self._kind.cooldown_codes) and self._left() <= self._kind.timeout

    def _step(self, _error: BaseException, elapsed: float) -> float:
        return self._left() or poll_interval(elapsed, self._kind.cooldown * self._pace)

    def _when(self) -> str:
        """Return the time from which AWS accepts the rest of the change, in words, as far as it is known."""
        if left := self._left():
            return _minute_of(self._clock.wall() + left)
        return f"{_minute_of(self._clock.wall() + self._kind.cooldown * self._pace)} at the latest"


def _free_at(resource_type: ResourceType, resource_state: ResourceState | None, speed: float, now: float) -> float:
    """Return the wall-clock second from which AWS accepts another change; 0 if no last change is known.

    A last change in the future was recorded by a wrong clock, and is ignored.
    """
    last = resource_state.changed_at if resource_state else 0.0
    return last + resource_type.cooldown * speed if resource_type.cooldown and 0 < last <= now else 0.0


def _not_before(managed: ManagedResource, when: str) -> CooldownActive:
    return CooldownActive(
        f"{_cooldown_description(managed.type)} of {managed.description}: the rest from {when}.",
        "Nothing is lost: run the same command again then.",
    )


def _cooldown_description(resource_type: ResourceType) -> str:
    return f"AWS takes one change in {resource_type.cooldown / 60:.0f} minutes"


def _minute_of(second: float) -> str:
    """Return the minute in which this second has passed, for messages."""
    return time.strftime("%H:%M UTC", time.gmtime(second + 59))
