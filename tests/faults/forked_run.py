"""Plays a case from its fault on: one undisturbed run is forked at each call and write that is to meet a fault.

Only calls that AWS accepts count: a child tries each first.

The child goes on with all threads of the run and meets the fault; its parent waits for it, restores the files
and goes on undisturbed. So the way to a fault is played once for all. First runs that end with the same exit
code, files, changes in AWS and time get one verdict, which is played once; so do equivalent faults
(`equivalent_faults.py`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import process_time
from typing import Any

from provisioner.emulator.wire import CLIENT_ERROR, Response
from tests.faults.equivalent_faults import EquivalentFaults
from tests.faults.fault_case import (
    APPLY,
    BOTH,
    RETRIED_FAULTS,
    STATE_WRITE,
    TEARDOWN,
    FaultCase,
    InjectedFault,
    Verdict,
)
from tests.faults.folder_snapshot import FolderSnapshot
from tests.faults.fork import ChildEnd, TooLong, fork, in_child
from tests.faults.world import CRASHED, DEADLOCKED, World, faulted_command

OnVerdict = Callable[[Verdict], None]

# Seconds of CPU that a case may use.
CPU_LIMIT_SECONDS = 120.0


def play_cases(world: World, cases: Iterable[FaultCase], on_verdict: OnVerdict, *, each: bool = False) -> None:
    """Play each case in a process of its own, and call `on_verdict` when it has ended.

    With `each`, also play cases that are known to have the verdict of another.
    """
    pending = list(cases)
    for verb in (APPLY, TEARDOWN):
        chosen = [case for case in pending if faulted_command(case) == verb]
        if chosen:
            world.reset()
            if verb == TEARDOWN and world.run(APPLY):
                raise RuntimeError(f"an undisturbed apply fails: {world.error_text}")
            ForkedRun(world, chosen, on_verdict, each=each).play(verb)


class ForkedRun:
    """One undisturbed run, and the cases that branch off from it."""

    def __init__(self, world: World, cases: Iterable[FaultCase], on_verdict: OnVerdict, *, each: bool = False) -> None:
        self._world = world
        self._plays_each = each
        self._on_verdict = on_verdict
        self._pending: dict[tuple[str, int], list[FaultCase]] = {}
        for case in cases:
            [fault] = case.faults
            self._pending.setdefault((fault.operation, fault.nth), []).append(case)
        self._seen: Counter[str] = Counter()
        # The verdicts by the keys of all that has the same rest.
        self._verdicts: dict[str, dict[str, Any]] = {}
        # In a child: the case it plays, its pipe to the parent, its start and its keys.
        self._case: FaultCase | None = None
        self._child_end = ChildEnd(-1)
        self._start = 0.0
        self._keys: list[str] = []

    def play(self, verb: str) -> None:
        """Run the command to its end, and branch off at each call or write with a case."""
        world = self._world
        world.wire.arm(())
        world.disk.arm(())
        world.wire.on_mutation, world.disk.on_write = self._meet_call, lambda: self._meet(STATE_WRITE)
        try:
            code = world.run(verb)
        except BaseException:
            if self._case:
                self._child_end.finish(_reraise)
            raise
        finally:
            world.wire.on_mutation = world.disk.on_write = None
        if self._case:
            self._child_end.finish(lambda: self._end(code))
        if code:
            raise RuntimeError(f"an undisturbed {verb} fails: {world.error_text}")
        for case in [case for group in self._pending.values() for case in group]:
            self._on_verdict(_play_from_start(world, case))

    def _meet_call(self, operation: str, make: Callable[[], Response]) -> None:
        """Branch off at a call if AWS accepts it; one that is refused as too early changes nothing."""
        is_wanted = any(self._seen[operation] < nth for name, nth in self._pending if name == operation)
        if is_wanted and in_child(lambda: make().status < CLIENT_ERROR, CPU_LIMIT_SECONDS):
            self._meet(operation)

    def _meet(self, operation: str) -> None:
        """Branch off at a call or a write, for each of its cases."""
        self._seen[operation] += 1
        for case in self._pending.pop((operation, self._seen[operation]), []):
            if self._branch(case):
                return

    def _branch(self, case: FaultCase) -> bool:
        """Fork for a case; return True in the child, which meets the fault at once."""
        files = FolderSnapshot.of(self._world.home)
        end = fork(CPU_LIMIT_SECONDS)
        if isinstance(end, ChildEnd):
            self._begin(case, end)
            return True
        try:
            result = end.result(CPU_LIMIT_SECONDS)
        except TooLong as timeout:
            result = {"verdict": _timeout_verdict(case, timeout).as_dict()}
        files.restore()
        self._verdicts |= dict.fromkeys(result.get("keys", []), result["verdict"])
        self._on_verdict(Verdict(**result["verdict"]))
        return False

    def _begin(self, case: FaultCase, child_end: ChildEnd) -> None:
        world = self._world
        self._case, self._child_end, self._start = case, child_end, process_time()
        world.wire.on_mutation = world.disk.on_write = None
        [fault] = case.faults
        random.seed(f"{case.scenario} {fault.operation} {fault.nth}")
        if fault.fault in RETRIED_FAULTS and case.scenario != BOTH:
            equivalents = world.wire.equivalents = EquivalentFaults(
                lambda seen: self._end_if_known(self._key_after_retry(case, seen))
            )
            world.time.on_wait = equivalents.before_wait
        world.arm(replace(case, faults=(InjectedFault(fault.fault, fault.operation, 1),)))

    def _end(self, code: int) -> dict[str, Any]:
        """Run the case to its end; return its verdict and keys as JSON."""
        case = self._case
        assert case
        self._world.wire.equivalents = None
        if code and code not in (DEADLOCKED, CRASHED):
            self._end_if_known(self._key_at_end(case, code))
        verdict = Verdict(str(case), [code])
        self._world.finish(case, verdict)
        verdict.seconds = self._seconds()
        return {"verdict": verdict.as_dict(), "keys": self._keys}

    def _seconds(self) -> float:
        return round(process_time() - self._start, 2)

    def _end_if_known(self, key: str) -> None:
        """End this process with the verdict that is known for a key; if none is, note the key."""
        if (known := self._verdicts.get(key)) and not self._plays_each:
            same_as = known["same_as"] or known["case"]
            verdict = {**known, "case": str(self._case), "same_as": same_as, "seconds": self._seconds()}
            self._child_end.finish(lambda: {"verdict": verdict})
        self._keys.append(key)

    def _key_at_end(self, case: FaultCase, code: int) -> str:
        """Return the key of all that an ended command leaves to the next one."""
        has_fired = self._world.wire.fired > 0
        return f"{case.scenario} ended {code} {case.expected_exit_codes} {has_fired} {self._fingerprint()}"

    def _key_after_retry(self, case: FaultCase, seen: str) -> str:
        """Return the key of all that follows a fault that is retried."""
        [fault] = case.faults
        connection = self._world.wire.connection
        rates = sorted(connection.rates._buckets.items()) if connection else ()
        return f"{case.scenario} {fault.operation} {fault.nth} {seen} {rates} {self._fingerprint()}"

    def _fingerprint(self) -> str:
        world = self._world
        files = FolderSnapshot.of(world.home / "embedded").digest()
        return f"{sum(world.mutations().values())} {files} {world.time.elapsed}"


def _play_from_start(world: World, case: FaultCase) -> Verdict:
    """Play a case whose fault the undisturbed run did not meet, from its beginning."""
    try:
        return Verdict(**in_child(lambda: world.play(case).as_dict(), CPU_LIMIT_SECONDS))
    except TooLong as timeout:
        return _timeout_verdict(case, timeout)


def _timeout_verdict(case: FaultCase, timeout: TooLong) -> Verdict:
    why = f"not ended after {CPU_LIMIT_SECONDS:.0f} s of CPU:\n{timeout}"
    return Verdict(str(case), stuck=why, seconds=CPU_LIMIT_SECONDS)


def _reraise() -> None:
    raise  # noqa: PLE0704 - what is being handled where this is called
