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

from tenacity import RetryCallState, retry_if_exception, stop_after_delay

from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.polling import poll_interval
from provisioner.engine.calls.retry_policy import RetryPolicy, elapsed_seconds
from provisioner.engine.execution.events import Event, Listener
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.resource_calls import describe_refusal
from provisioner.engine.planning.change import Change
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
    further_seconds = (resource_type.change_count(*actual) - 1) * resource_type.cooldown * speed
    done_at = max(now, _next_change_at(resource_type, resource_state, speed, now)) + further_seconds
    if done_at <= now:
        return change
    return replace(change, reason=f"{_cooldown_description(resource_type)}: done from {_format_minute(done_at)}")


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
        self, state_manager: StateManager, clock: Clock, speed: float, managed: ManagedResource, publish: Listener
    ) -> None:
        self._state_manager = state_manager
        self._clock = clock
        self._speed = speed
        self._managed = managed
        self._publish = publish
        self._type, self._logical_id = managed.type, managed.spec.logical_id
        # An earlier run may have been killed after a change: AWS may count from that one.
        self._last_change = last_change(self._type, state_manager.get(self._logical_id))

    def wait(self) -> None:
        """Wait until AWS accepts another change.

        Raises:
            CooldownActive: The wait would be longer than the timeout of the resource type.

        """
        now = self._clock.wall()
        next_change_at = _next_change_at(self._type, self._state_manager.get(self._logical_id), self._speed, now)
        if next_change_at - now > self._type.timeout:
            raise _cooldown_error(self._managed, _format_minute(next_change_at))
        if next_change_at > now:
            self._publish(
                Event("waiting", self._logical_id, "update", _cooldown_description(self._type), next_change_at - now)
            )
            self._clock.sleep(next_change_at - now)

    def call(self, change: Callable[[], JsonObject]) -> JsonObject:
        """Make the change and record when; if AWS refuses it because of the cooldown, try again later.

        Args:
            change: The function that makes the change and returns AWS's reply.

        Raises:
            CooldownActive: AWS accepts the change, or the rest of it, only after the timeout of the resource type.

        """
        if not self._type.cooldown:
            return change()
        try:
            reply = self._retry_policy().call(change)
        except RetryLater as error:
            # AWS has accepted a part of the change just now: the cooldown runs from this moment.
            now = self._clock.wall()
            self._state_manager.record_change(self._logical_id, now, is_partial=True)
            raise _cooldown_error(self._managed, _format_minute(now + self._type.cooldown * self._speed)) from error
        except Exception as error:
            if not matches_codes(error, self._type.cooldown_codes):
                raise
            # AWS has refused the change or its rest: the cooldown runs from the last change that is known.
            self._state_manager.record_change(self._logical_id, self._last_change, is_partial=True)
            raise _cooldown_error(self._managed, self._describe_next_change()) from error
        self._state_manager.record_change(self._logical_id, self._clock.wall(), is_partial=False)
        return reply

    def _retry_policy(self) -> RetryPolicy:
        return RetryPolicy(
            self._clock,
            stop_after_delay(self._type.timeout),
            retry_if_exception(self._is_retryable),
            self._next_wait,
            lambda error, seconds: self._publish(
                Event("retrying", self._logical_id, "update", describe_refusal(error), seconds)
            ),
        )

    def _seconds_left(self) -> float:
        """Return the seconds until AWS accepts another change, counted from the last one known; else 0."""
        if not self._last_change:
            return 0.0
        return max(0.0, self._last_change + self._type.cooldown * self._speed - self._clock.wall())

    def _is_retryable(self, error: BaseException) -> bool:
        return matches_codes(error, self._type.cooldown_codes) and self._seconds_left() <= self._type.timeout

    def _next_wait(self, state: RetryCallState) -> float:
        return self._seconds_left() or poll_interval(elapsed_seconds(state), self._type.cooldown * self._speed)

    def _describe_next_change(self) -> str:
        """Return the time from which AWS accepts the rest of the change, in words, as far as it is known."""
        if seconds_left := self._seconds_left():
            return _format_minute(self._clock.wall() + seconds_left)
        return f"{_format_minute(self._clock.wall() + self._type.cooldown * self._speed)} at the latest"


def _next_change_at(
    resource_type: ResourceType, resource_state: ResourceState | None, speed: float, now: float
) -> float:
    """Return the wall-clock second from which AWS accepts another change; 0 if no last change is known.

    A last change in the future was recorded by a wrong clock, and is ignored.
    """
    last = resource_state.changed_at if resource_state else 0.0
    return last + resource_type.cooldown * speed if resource_type.cooldown and 0 < last <= now else 0.0


def _cooldown_error(managed: ManagedResource, when: str) -> CooldownActive:
    return CooldownActive(
        f"{_cooldown_description(managed.type)} of {managed.description}: the rest from {when}.",
        "Nothing is lost: run the same command again then.",
    )


def _cooldown_description(resource_type: ResourceType) -> str:
    return f"AWS takes one change in {resource_type.cooldown / 60:.0f} minutes"


def _format_minute(second: float) -> str:
    """Return the minute in which this second has passed, for messages."""
    return time.strftime("%H:%M UTC", time.gmtime(second + 59))
