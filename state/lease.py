"""The lock of machines that share a state: a lease that heartbeats renew and that runs out by itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from state.errors import LockHeld, ProvisionerError
from state.lock import Lock, LockClock
from state.lock_holder import LockHolder, lock_held_error
from state.object_store import ObjectStore, StoredObject, WriteConflict, put_once

log = logging.getLogger(__name__)


class Heartbeat:
    """A daemon thread that calls `beat` every `interval_seconds` seconds until it is stopped."""

    def __init__(self, beat: Callable[[], None], interval_seconds: float) -> None:
        self._beat = beat
        self._interval = interval_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread; the first call comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; a call in progress is waited for."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self._beat()


# A lock that was not renewed for the length of a lease may be taken by another run. Its holder renews it with each
# heartbeat, and stops calling AWS and writing the state a safety margin before the lease expires. So two missed
# heartbeats do no harm, and after a third one the holder has stopped before the next holder begins. The clock slack:
# S3 gives ages in whole seconds.
LEASE_SECONDS, HEARTBEAT_SECONDS, SAFETY_MARGIN_SECONDS, CLOCK_SLACK_SECONDS = 60.0, 15.0, 15.0, 2.0
_POLL_SECONDS = 2.0


class LeaseLock(Lock):
    """The lock of one stack as an object with a lease, changed by conditional writes only.

    If-None-Match creates it; If-Match renews it, takes over an expired one, and releases it.
    """

    def __init__(
        self, object_store: ObjectStore, key: str, description: str, command: str, timeout: float, clock: LockClock
    ) -> None:
        self._object_store = object_store
        self._key = key
        self._description = description
        self._command = command
        self._timeout = timeout
        self._clock = clock
        self._mutex = threading.Lock()
        self._heartbeat = Heartbeat(self.renew, HEARTBEAT_SECONDS)
        self._own_holder: LockHolder | None = None
        self._etag: str | None = None
        self._renewed_at = (0.0, 0.0)
        self._is_lost = False
        self._new_holder: LockHolder | None = None
        self._renewal_error = ""
        self.fencing_token = 0

    def __enter__(self) -> LeaseLock:
        deadline = self._clock.now() + self._timeout
        while not self._try_acquire():
            if self._clock.now() >= deadline:
                raise lock_held_error(self.last_holder()[0])
            self._clock.sleep(_POLL_SECONDS)
        self._heartbeat.start()
        log.debug("lease taken, fencing token %d", self.fencing_token)
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.stop()
        with self._mutex:
            own_holder, self._own_holder = self._own_holder, None
            # If it cannot be released, another run holds it by now, or the lease expires by itself.
            with suppress(WriteConflict, ProvisionerError):
                if own_holder and not self._is_lost:
                    self._release(own_holder, self._etag)
                    log.debug("lease released, fencing token %d", self.fencing_token)

    def ensure_held(self) -> None:
        """Renew a lease that is about to expire, and raise if this run may not go on.

        Raises:
            LockHeld: Another run took the lock, it was freed by hand, or its lease could not be renewed.

        """
        if self._seconds_left() < SAFETY_MARGIN_SECONDS and not self._renewal_error:
            self.renew()  # after a sleep of the machine or a change of its clock, the lock may still be free
        if self._own_holder is None or self._is_lost:
            reason = f"{self._new_holder} holds it now" if self._new_holder else "it was freed by hand"
            raise LockHeld(
                f"This run lost its lock {self._description}: {reason}.",
                "Nothing more was called or written. When the other run has ended, run the same command "
                "again: it goes on.",
            )
        if self._seconds_left() < SAFETY_MARGIN_SECONDS:
            raise LockHeld(
                f"The lock {self._description} could not be renewed, and its lease runs out: {self._renewal_error}",
                "Nothing more was called or written, so that another run may take over. Mend that, then run "
                "the same command again: it goes on.",
            )

    def renew(self) -> None:
        """Write the next heartbeat; a failure is remembered and raised by `ensure_held`."""
        with self._mutex:
            if self._own_holder is None or self._is_lost:
                return
            try:
                self._write_heartbeat(self._own_holder)
            except ProvisionerError as error:
                self._renewal_error = error.message
                log.debug("lease not renewed: %s", type(error).__name__)

    def last_holder(self) -> tuple[LockHolder | None, bool]:
        """Return the last holder, and whether its lease is still valid."""
        stored = self._object_store.get(self._key)
        return (_holder_of(stored), not _is_free(stored)) if stored else (None, False)

    def force_unlock(self, holder: LockHolder) -> None:
        """Release the lock on behalf of `holder`; if the holder renews it in between, try again.

        Raises:
            LockHeld: Another run has taken the lock since.

        """
        while (stored := self._object_store.get(self._key)) and not _is_free(stored):
            if _holder_of(stored).fencing_token != holder.fencing_token:
                raise lock_held_error(_holder_of(stored))
            with suppress(WriteConflict):
                self._release(_holder_of(stored), stored.etag)

    def _try_acquire(self) -> bool:
        # One try: False where another run holds the lock, or was faster.
        stored = self._object_store.get(self._key)
        if stored and not _is_free(stored):
            return False
        own_holder = LockHolder.this_process(
            self._command, (_holder_of(stored).fencing_token if stored else 0) + 1, LEASE_SECONDS
        )
        try:
            self._put_holder(own_holder, stored.etag if stored else None)
        except WriteConflict:
            return False
        self.fencing_token = own_holder.fencing_token
        return True

    def _write_heartbeat(self, own_holder: LockHolder) -> None:
        try:
            self._put_holder(replace(own_holder, heartbeat=own_holder.heartbeat + 1), self._etag)
            log.debug("lease renewed, heartbeat %d", own_holder.heartbeat + 1)
        except WriteConflict:
            self._is_lost = True
            log.debug("lease lost, fencing token %d", self.fencing_token)
            self._new_holder = self._current_holder()

    def _current_holder(self) -> LockHolder | None:
        holder, is_held = self.last_holder()
        return holder if is_held else None

    def _put_holder(self, own_holder: LockHolder, expected_etag: str | None) -> None:
        # The lease counts from before the call: this holder then stops early rather than late.
        started_at = self._clock.now(), self._clock.wall()
        self._etag = put_once(self._object_store, self._key, own_holder.dump().encode(), expected_etag)
        self._own_holder, self._renewed_at, self._renewal_error = own_holder, started_at, ""

    def _release(self, holder: LockHolder, etag: str | None) -> None:
        put_once(
            self._object_store,
            self._key,
            replace(holder, lease_seconds=0.0, heartbeat=holder.heartbeat + 1).dump().encode(),
            etag,
        )

    def _seconds_left(self) -> float:
        """Return the seconds until another run may take the lock.

        Of the two clocks the smaller result counts, because the monotonic one may stand still in a sleep.
        """
        now, wall = self._renewed_at
        return LEASE_SECONDS - max(self._clock.now() - now, self._clock.wall() - wall)


def _holder_of(stored: StoredObject) -> LockHolder:
    """Return the holder that the object names; an unreadable object counts as held until it expires."""
    return LockHolder.parse(stored.body) or LockHolder("an unknown host", 0, "another run", "an unknown time", 0)


def _is_free(stored: StoredObject) -> bool:
    holder = _holder_of(stored)
    lease = LEASE_SECONDS if holder.lease_seconds is None else holder.lease_seconds
    return holder.lease_seconds == 0 or holder.is_dead or stored.age_seconds > lease + CLOCK_SLACK_SECONDS
