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
from provisioner.engine.calls.retry_policy import call_with_retry
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import ManagedResource, read
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.run_marker.mark import RunIdentity, RunMark
from provisioner.names import RUN_TAG
from state.errors import LockHeld, ProvisionerError
from state.lease import Heartbeat

# Seconds of AWS. A run whose mark was not renewed for LASTS counts as dead. A run renews its mark every BEAT,
# and stops calling MARGIN before it expires. IAM shows all of a new tag within SETTLES (IAM user guide,
# troubleshooting, "changes that I make are not always immediately visible"; terraform-provider-aws waits as
# long for tags).
MARK_SECONDS, RENEWAL_SECONDS, SAFETY_MARGIN_SECONDS, SETTLE_SECONDS = 300.0, 60.0, 15.0, 10.0
# Seconds for which a mark lasts at least: on an emulator without delays, a run takes only seconds.
_LEAST = 10.0
_RENEWALS = 5  # so many in a row may take longer than a mark lasts before the run ends


class RunMarker:
    """The marker of a stack as one run uses it; shared by all threads of the run.

    `target` is the marker resource. Times are by AWS's own clock, so that machines with other clocks agree.
    """

    def __init__(self, clients: Clients, managed: ManagedResource, me: RunIdentity) -> None:
        self._clients = clients
        self.target = managed
        self._me = me
        speed = clients.aws.speed
        self._lasts = max(MARK_SECONDS * speed, _LEAST)
        self._scale = self._lasts / MARK_SECONDS
        self._one = threading.Lock()
        self._heartbeat: Heartbeat | None = None
        self._heard = (0.0, 0.0)
        self._since = 0.0
        self._taken = ""
        self._trouble = ""

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
        doc = self.read()
        if doc is None:
            self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
            doc = self.read()
        return doc

    def check(self, doc: JsonObject | None) -> None:
        """Raise `LockHeld` if `doc` bears another run's mark and this run may not take over."""
        if (there := self.other(doc)) and not self._me.takes_over:
            raise self.conflict_error(there)

    def other(self, doc: JsonObject | None) -> RunMark | None:
        """Return the mark of a live run that has another state, or None."""
        there = RunMark.on(doc)
        return there if there and self._is_foreign(there) and self._is_alive(there) else None

    def acquire(self, planned: JsonObject | None) -> None:
        """Set this run's mark on a marker that exists, and start to renew it.

        If several runs do so at once, the last one wins: the others read its mark after a while, and stop.
        `planned` is the marker as the plan saw it.

        Raises:
            LockHeld: Another run is at work, or one was since the plan was made.

        """
        with user_errors(f"putting this run's mark on {self.target.description}"):
            self._acquire(RunMark.on(planned))
        self._me = replace(self._me, takes_over=False)  # a run that begins from now on is not the dead one
        self.begin()

    def _acquire(self, planned: RunMark | None) -> None:
        doc = self._read()
        self.check(doc)
        there = RunMark.on(doc)
        if there and self._is_foreign(there) and there != planned:
            raise self.conflict_error(there)
        is_ours_still = there is not None and not self._is_foreign(there) and self._is_alive(there)
        self._since = there.since if there and is_ours_still else self._time()
        began = self._clients.clock.now()
        call_with_retry(self._clients, self._write)  # the same tag may be written twice
        if not is_ours_still or self._clients.clock.now() - began >= self.renewal_seconds:
            self._wait_until_visible()

    def with_mark(self, managed: ManagedResource) -> ManagedResource:
        """Return the marker resource with this run's mark among its tags, for the call that creates it."""
        self._read()  # the reply tells AWS's time
        self._since = self._time()
        self._heard = self._clients.clock.moment()
        return managed.with_tags({RUN_TAG: self._mark().dump()})

    def check_created(self, doc: JsonObject | None) -> None:
        """Raise `LockHeld` unless the marker bears this run's mark."""
        if not self.is_ours(doc):
            raise self.conflict_error(RunMark.on(doc))

    def is_ours(self, doc: JsonObject | None) -> bool:
        """Return whether the marker bears this run's mark, or the emulator does not return tags at all."""
        there = RunMark.on(doc)
        return self._is_forgotten(doc) or (there is not None and not self._is_foreign(there))

    def begin(self) -> None:
        """Start to renew the mark in the background; do nothing on an emulator that does not return tags."""
        if not self._clients.aws.is_faithful and self._is_forgotten(self._read()):
            return
        self._heartbeat = Heartbeat(self._renewal_seconds, RENEWAL_SECONDS * self._scale)
        self._heartbeat.start()

    def guard(self) -> None:
        """Renew a mark that is due, and raise `LockHeld` if another run took over or may do so soon.

        A renewal that took too long is made again: a slow run goes on while there is no other.
        """
        if self._heartbeat is None:
            return
        with self._one:
            if not self._taken and self._age() >= self.renewal_seconds:
                self._renew()
            for _ in range(_RENEWALS):
                if self._is_late() and not (self._taken or self._trouble):
                    self._renew()
        if self._taken:
            raise self._lost_error("Nothing more was called.")
        if self._is_late():
            why = self._trouble or "each time it took longer than a mark lasts"
            raise LockHeld(
                f"The mark of this run on {self.target.description} could not be renewed: {why}",
                "Nothing more was called, as another run may take over. Mend that, then run the same "
                "command again: it goes on.",
            )

    def confirm(self) -> None:
        """Raise `LockHeld` if the marker no longer bears this run's mark: its work may be undone by now."""
        if self._heartbeat is None:
            return
        self._see_whose()
        if self._taken:
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
            if (there := RunMark.on(self._read())) and not self._is_foreign(there):
                self.target.type.retag(self._client, self.target.spec, {}, [RUN_TAG])

    @property
    def _client(self) -> Any:
        return self._clients.client(self.target.type.service, self.target.region)

    def _renewal_seconds(self) -> None:
        with self._one:
            self._renew()

    def _renew(self) -> None:
        """Write the next mark unless another run's is there; failures are remembered for `guard`."""
        try:
            with user_errors(f"renewing this run's mark on {self.target.description}"):
                doc = self._read()
                there = RunMark.on(doc)
                if there and not self._is_foreign(there):
                    self._write_again()
                elif doc is not None:
                    self._taken = _by(there)
                else:
                    self._trouble = "AWS does not show it"
        except ProvisionerError as error:
            self._trouble = error.message

    def _write_again(self) -> None:
        """Write the next mark; if the last one may count as dead, see that no other run writes one now."""
        before, was_late = self._heard, self._is_late()
        self._write()
        if was_late:
            # It counts as late until AWS shows which of two runs wrote last, as in `take`.
            written, self._heard = self._heard, before
            self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
            self._see_whose()
            self._heard = written

    def _see_whose(self) -> None:
        """Note who took over, if the marker does not bear this run's mark."""
        doc = self.read_consistently()
        there = RunMark.on(doc)
        if doc is None:
            self._taken = f"by one that removed {self.target.description}"
        elif there is None or self._is_foreign(there):
            self._taken = _by(there)

    def _wait_until_visible(self) -> None:
        """Wait until AWS shows all of the new tag, then raise `LockHeld` if the mark is another run's."""
        self._clients.clock.sleep(self._clients.aws.consistency_window(SETTLE_SECONDS))
        self.check_created(self._read())

    def _read(self) -> JsonObject | None:
        doc = read(self._clients, self.target)
        if doc is not None:
            self.target = self.target.with_id(self.target.type.id_of(doc))
        return doc

    def _write(self) -> None:
        """Write the mark; its age counts from the start of the call, not from the reply."""
        heard = self._clients.clock.moment()
        self.target.type.retag(self._client, self.target.spec, {RUN_TAG: self._mark().dump()}, [])
        self._heard, self._trouble = heard, ""

    def _age(self) -> float:
        """Return the seconds since the mark was renewed."""
        return self._clients.clock.since(self._heard)

    def _is_late(self) -> bool:
        """Return whether others may soon take this run for dead, or do so already."""
        return self._age() > (MARK_SECONDS - SAFETY_MARGIN_SECONDS) * self._scale

    def _mark(self) -> RunMark:
        return RunMark(self._time(), self._me.lineage, self._me.caller, self._me.host, self._since)

    def _time(self) -> float:
        """Return AWS's time as of its last reply."""
        return self._clients.aws.told_at or self._clients.clock.wall()

    def _is_forgotten(self, doc: JsonObject | None) -> bool:
        """Return whether a third-party emulator returns no tags for a resource that has some."""
        return not self._clients.aws.is_faithful and not (doc or {}).get("Tags")

    def _is_foreign(self, there: RunMark) -> bool:
        return there.lineage != self._me.lineage

    def _is_alive(self, there: RunMark) -> bool:
        return self._time() - there.at < self._lasts

    def _lost_error(self, what: str) -> LockHeld:
        return LockHeld(
            f"This stack was taken over {self._taken}. {what}",
            "When that run has ended, run the same command again.",
        )

    def begun_again_error(self, doc: JsonObject) -> LockHeld:
        """Return the error of a teardown after which another run has begun to create the stack again."""
        return self._me.begun_anew(self.target.spec.suffix, RunMark.on(doc))

    def conflict_error(self, there: RunMark | None, came: str = "nothing was made here") -> LockHeld:
        """Return the error that another run is at work; `came` says what became of this run."""
        return self._me.held_up(self.target.spec.suffix, there, self._lasts, came)


def _by(there: RunMark | None) -> str:
    """Return the words for the run that took over; a run that has ended has removed its mark."""
    return f"by {there}" if there else "by one that has ended"
