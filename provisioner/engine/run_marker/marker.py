"""The marker of a stack: a resource that AWS creates only once, and whose tag says which run is at work.

Machines that share no state find each other by it. The marker bears a tag while a run creates something: the
time of its last renewal, the lineage of the run's state, and who runs it. A run that ends removes the tag. A
teardown sets it too, and deletes the marker last. Runs without a mark look for others' (`engine/run_marker/watch.py`).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import ManagedResource, read
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.run_marker.mark import RunIdentity, RunMark, describe_new_holder
from provisioner.names import RUN_TAG
from state.errors import LockHeld, ProvisionerError
from state.lease import Heartbeat

# Seconds of AWS. A run whose mark was not renewed for MARK_SECONDS counts as dead. A run renews its mark every
# RENEWAL_SECONDS, and stops calling SAFETY_MARGIN_SECONDS before it expires. IAM shows all of a new tag within
# SETTLE_SECONDS (IAM user guide, troubleshooting, "changes that I make are not always immediately visible";
# terraform-provider-aws waits as long for tags).
MARK_SECONDS, RENEWAL_SECONDS, SAFETY_MARGIN_SECONDS, SETTLE_SECONDS = 300.0, 60.0, 15.0, 10.0
# Seconds for which a mark lasts at least: on an emulator without delays, a run takes only seconds.
_LEAST_MARK_SECONDS = 10.0
_MAX_RENEWALS = 5  # so many in a row may take longer than a mark lasts before the run ends


class RunMarker:
    """The marker of a stack as one run uses it; shared by all threads of the run.

    `target` is the marker resource. Times are by AWS's own clock, so that machines with other clocks agree.
    """

    def __init__(self, clients: Clients, managed: ManagedResource, identity: RunIdentity) -> None:
        self._clients = clients
        self.target = managed
        self._identity = identity
        speed = clients.aws.speed
        self._mark_seconds = max(MARK_SECONDS * speed, _LEAST_MARK_SECONDS)
        self._scale = self._mark_seconds / MARK_SECONDS
        self._renewal_lock = threading.Lock()
        self._heartbeat: Heartbeat | None = None
        self._renewed_at = (0.0, 0.0)
        self._began_at = 0.0
        self._new_holder = ""
        self._renewal_error = ""

    @property
    def logical_id(self) -> str:
        """The logical id of the marker resource."""
        return self.target.spec.logical_id

    def check_plan(self, plan: Plan) -> None:
        """Raise `LockHeld` if the plan has seen that another run is at work."""
        self.check(self.actual_in(plan))

    def actual_in(self, plan: Plan) -> JsonObject | None:
        """Return the marker's properties as planned, selected or not; None if it did not exist then."""
        return (plan.unfiltered or plan).actual.get(self.logical_id)

    @property
    def renewal_seconds(self) -> float:
        """Seconds after which a mark is renewed, and the marks of others are looked for again."""
        return RENEWAL_SECONDS * self._scale

    def check_now(self) -> None:
        """Read the marker, and raise `LockHeld` if another run is at work now."""
        self.check(self.read())

    def read(self) -> JsonObject | None:
        """Return the marker's actual properties, or None if it does not exist."""
        with user_errors(f"asking for another run's mark on {self.target.description}"):
            return self._read()

    def read_consistently(self) -> JsonObject | None:
        """Return the marker's properties; if it is not found, read again when AWS can no longer hide it."""
        actual = self.read()
        if actual is None:
            self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
            actual = self.read()
        return actual

    def check(self, actual: JsonObject | None) -> None:
        """Raise `LockHeld` if `actual` bears another run's mark and this run may not take over."""
        if (mark := self.other(actual)) and not self._identity.takes_over:
            raise self.conflict_error(mark)

    def other(self, actual: JsonObject | None) -> RunMark | None:
        """Return the mark of a live run that has another state, or None."""
        mark = RunMark.in_tags(actual)
        return mark if mark and self._is_foreign(mark) and self._is_alive(mark) else None

    def acquire(self, planned: JsonObject | None) -> None:
        """Set this run's mark on a marker that exists, and start to renew it.

        If several runs do so at once, the last one wins: the others read its mark after a while, and stop.
        `planned` is the marker as the plan saw it.

        Raises:
            LockHeld: Another run is at work, or one was since the plan was made.

        """
        with user_errors(f"putting this run's mark on {self.target.description}"):
            self._acquire(RunMark.in_tags(planned))
        self._identity = replace(self._identity, takes_over=False)  # a run that begins from now on is not the dead one
        self.begin()

    def _acquire(self, planned: RunMark | None) -> None:
        actual = self._read()
        self.check(actual)
        mark = RunMark.in_tags(actual)
        if mark and self._is_foreign(mark) and mark != planned:
            raise self.conflict_error(mark)
        is_ours_still = mark is not None and not self._is_foreign(mark) and self._is_alive(mark)
        self._began_at = mark.began_at if mark and is_ours_still else self._aws_time()
        began = self._clients.clock.now()
        call_with_retry(self._clients, self.write_mark)  # the same tag may be written twice
        if not is_ours_still or self._clients.clock.now() - began >= self.renewal_seconds:
            self.wait_until_visible()

    def with_mark(self, managed: ManagedResource) -> ManagedResource:
        """Return the marker resource with this run's mark among its tags, for the call that creates it."""
        self._read()  # the reply tells AWS's time
        self._began_at = self._aws_time()
        self._renewed_at = self._clients.clock.moment()
        return managed.with_tags({RUN_TAG: self._mark().dump()})

    def check_created(self, actual: JsonObject | None) -> None:
        """Raise `LockHeld` unless the marker bears this run's mark."""
        if not self.is_ours(actual):
            raise self.conflict_error(RunMark.in_tags(actual))

    def is_ours(self, actual: JsonObject | None) -> bool:
        """Return whether the marker bears this run's mark, or the emulator does not return tags at all."""
        mark = RunMark.in_tags(actual)
        return self._lacks_tags(actual) or (mark is not None and not self._is_foreign(mark))

    def begin(self) -> None:
        """Start to renew the mark in the background; do nothing on an emulator that does not return tags."""
        if not self._clients.aws.is_faithful and self._lacks_tags(self._read()):
            return
        self._heartbeat = Heartbeat(self._renew_exclusively, RENEWAL_SECONDS * self._scale)
        self._heartbeat.start()

    def guard(self) -> None:
        """Renew a mark that is due, and raise `LockHeld` if another run took over or may do so soon.

        A renewal that took too long is made again: a slow run goes on while there is no other.
        """
        if self._heartbeat is None:
            return
        with self._renewal_lock:
            if not self._new_holder and self._age() >= self.renewal_seconds:
                self._renew()
            for _ in range(_MAX_RENEWALS):
                if self.is_late() and not (self._new_holder or self._renewal_error):
                    self._renew()
        if self._new_holder:
            raise self._lost_error("Nothing more was called.")
        if self.is_late():
            why = self._renewal_error or "each time it took longer than a mark lasts"
            raise LockHeld(
                f"The mark of this run on {self.target.description} could not be renewed: {why}",
                "Nothing more was called, as another run may take over. Mend that, then run the same "
                "command again: it goes on.",
            )

    def confirm(self) -> None:
        """Raise `LockHeld` if the marker no longer bears this run's mark: its work may be undone by now."""
        if self._heartbeat is None:
            return
        self._check_holder()
        if self._new_holder:
            raise self._lost_error("What this run made may be gone or changed by now.")

    def stop_renewing(self) -> None:
        """Stop renewing the mark, because the marker was deleted as the last resource of the stack."""
        if self._heartbeat:
            self._heartbeat.stop()
            self._heartbeat = None

    def end(self) -> None:
        """Remove the mark; if that fails, it expires by itself."""
        if self._heartbeat is None:
            return
        self.stop_renewing()
        with user_errors(f"taking this run's mark off {self.target.description}"):
            if (mark := RunMark.in_tags(self._read())) and not self._is_foreign(mark):
                self.target.type.retag(self._client, self.target.spec, {}, [RUN_TAG])

    @property
    def _client(self) -> Any:
        return self._clients.client(self.target.type.service, self.target.region)

    def _renew_exclusively(self) -> None:
        with self._renewal_lock:
            self._renew()

    def _renew(self) -> None:
        """Write the next mark unless another run's is there; failures are remembered for `guard`."""
        try:
            with user_errors(f"renewing this run's mark on {self.target.description}"):
                actual = self._read()
                mark = RunMark.in_tags(actual)
                if mark and not self._is_foreign(mark):
                    self.rewrite_mark()
                elif actual is not None:
                    self._new_holder = describe_new_holder(mark)
                else:
                    self._renewal_error = "AWS does not show it"
        except ProvisionerError as error:
            self._renewal_error = error.message

    def rewrite_mark(self) -> None:
        """Write the next mark; if the last one may count as dead, see that no other run writes one now."""
        before, was_late = self._renewed_at, self.is_late()
        self.write_mark()
        if was_late:
            # It counts as late until AWS shows which of two runs wrote last, as in `acquire`.
            written, self._renewed_at = self._renewed_at, before
            self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
            self._check_holder()
            self._renewed_at = written

    def _check_holder(self) -> None:
        """Note who took over, if the marker does not bear this run's mark."""
        actual = self.read_consistently()
        mark = RunMark.in_tags(actual)
        if actual is None:
            self._new_holder = f"by one that removed {self.target.description}"
        elif mark is None or self._is_foreign(mark):
            self._new_holder = describe_new_holder(mark)

    def wait_until_visible(self) -> None:
        """Wait until AWS shows all of the new tag, then raise `LockHeld` if the mark is another run's."""
        self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
        self.check_created(self._read())

    def _read(self) -> JsonObject | None:
        actual = read(self._clients, self.target)
        if actual is not None:
            self.target = self.target.with_id(self.target.type.id_of(actual))
        return actual

    def write_mark(self) -> None:
        """Write the mark; its age counts from the start of the call, not from the reply."""
        started = self._clients.clock.moment()
        self.target.type.retag(self._client, self.target.spec, {RUN_TAG: self._mark().dump()}, [])
        self._renewed_at, self._renewal_error = started, ""

    def _age(self) -> float:
        """Return the seconds since the mark was renewed."""
        return self._clients.clock.since(self._renewed_at)

    def is_late(self) -> bool:
        """Return whether others may soon take this run for dead, or do so already."""
        return self._age() > (MARK_SECONDS - SAFETY_MARGIN_SECONDS) * self._scale

    def _mark(self) -> RunMark:
        return RunMark(
            self._aws_time(), self._identity.lineage, self._identity.caller, self._identity.host, self._began_at
        )

    def _aws_time(self) -> float:
        """Return AWS's time as of its last reply."""
        return self._clients.aws.aws_time or self._clients.clock.wall()

    def _lacks_tags(self, actual: JsonObject | None) -> bool:
        """Return whether a third-party emulator returns no tags for a resource that has some."""
        return not self._clients.aws.is_faithful and not (actual or {}).get("Tags")

    def _is_foreign(self, mark: RunMark) -> bool:
        return mark.lineage != self._identity.lineage

    def _is_alive(self, mark: RunMark) -> bool:
        return self._aws_time() - mark.renewed_at < self._mark_seconds

    def _lost_error(self, what: str) -> LockHeld:
        return LockHeld(
            f"This stack was taken over {self._new_holder}. {what}",
            "When that run has ended, run the same command again.",
        )

    def begun_again_error(self, actual: JsonObject) -> LockHeld:
        """Return the error of a teardown after which another run has begun to create the stack again."""
        return self._identity.begun_again_error(self.target.spec.suffix, RunMark.in_tags(actual))

    def conflict_error(self, mark: RunMark | None, consequence: str = "nothing was made here") -> LockHeld:
        """Return the error that another run is at work; `consequence` says what became of this run."""
        return self._identity.conflict_error(self.target.spec.suffix, mark, self._mark_seconds, consequence)
