"""Plays a case from its fault on: one undisturbed run is forked at each call and write that is to be struck.

Of the calls those count that AWS does: a child tries each first.

The child goes on with all threads of the run and meets the fault; its parent waits, puts the files back and
goes on as if nothing had been. So nobody plays the same way to a fault twice. Runs that end and leave the
same, on disk, in AWS and at the same moment, are one case, played once; so are faults that are taken alike
(`alike.py`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import process_time
from typing import Any

from provisioner.emulator.wire import CLIENT_ERROR, Response
from tests.faults.alike import EquivalentFaults
from tests.faults.case import APPLY, BOTH, LEDGER, PASSING, TEARDOWN, FaultCase, InjectedFault, Verdict
from tests.faults.files import Files
from tests.faults.fork import Myself, TooLong, in_child, split
from tests.faults.world import CRASHED, HANGS, World, first_of

Told = Callable[[Verdict], None]

# Seconds of its own that a case may compute.
DEADLINE = 120.0


def play(world: World, cases: Iterable[FaultCase], told: Told, *, each: bool = False) -> None:
    """Play each case in a process of its own; `told` hears of each when it has ended.

    With `each`, also those that are known to come to what another came to.
    """
    ahead = list(cases)
    for verb in (APPLY, TEARDOWN):
        some = [case for case in ahead if first_of(case) == verb]
        if some:
            world.fresh()
            if verb == TEARDOWN and world.run(APPLY):
                raise RuntimeError(f"an undisturbed apply fails: {world.said}")
            Snapshots(world, some, told, each=each).play(verb)


class Snapshots:
    """One undisturbed run, and all that may befall it."""

    def __init__(self, world: World, cases: Iterable[FaultCase], told: Told, *, each: bool = False) -> None:
        self._world = world
        self._each = each
        self._told = told
        self._ahead: dict[tuple[str, int], list[FaultCase]] = {}
        for case in cases:
            [strike] = case.strikes
            self._ahead.setdefault((strike.operation, strike.nth), []).append(case)
        self._met: Counter[str] = Counter()
        # What is known of all that comes to the same.
        self._same: dict[str, dict[str, Any]] = {}
        # In a child: which case it plays, whom it tells, when it began.
        self._case: FaultCase | None = None
        self._myself = Myself(-1)
        self._start = 0.0
        self._keys: list[str] = []

    def play(self, verb: str) -> None:
        """Run to the end, and branch off on the way."""
        world = self._world
        world.wire.arm(())
        world.disk.arm(())
        world.wire.meets, world.disk.meets = self._meet_call, lambda: self._meet(LEDGER)
        try:
            code = world.run(verb)
        except BaseException:
            if self._case:
                self._myself.end(_raise)
            raise
        finally:
            world.wire.meets = world.disk.meets = None
        if self._case:
            self._myself.end(lambda: self._end(code))
        if code:
            raise RuntimeError(f"an undisturbed {verb} fails: {world.said}")
        for case in [case for some in self._ahead.values() for case in some]:
            self._told(_whole(world, case))

    def _meet_call(self, operation: str, make: Callable[[], Response]) -> None:
        """At a call: branch off there, if AWS does it. One that it refuses as too early changes nothing."""
        is_struck = any(self._met[operation] < nth for name, nth in self._ahead if name == operation)
        if is_struck and in_child(lambda: make().status < CLIENT_ERROR, DEADLINE):
            self._meet(operation)

    def _meet(self, operation: str) -> None:
        """At a call or a write: branch off for each case that is to be struck there."""
        self._met[operation] += 1
        for case in self._ahead.pop((operation, self._met[operation]), []):
            if self._branch(case):
                return

    def _branch(self, case: FaultCase) -> bool:
        """Whether this is the child, which meets the fault at once."""
        files = Files.under(self._world.home)
        who = split(DEADLINE)
        if isinstance(who, Myself):
            self._begin(case, who)
            return True
        try:
            told = who.tells(DEADLINE)
        except TooLong as late:
            told = {"verdict": _late(case, late).as_dict()}
        files.put_back()
        self._same |= dict.fromkeys(told.get("keys", []), told["verdict"])
        self._told(Verdict(**told["verdict"]))
        return False

    def _begin(self, case: FaultCase, myself: Myself) -> None:
        world = self._world
        self._case, self._myself, self._start = case, myself, process_time()
        world.wire.meets = world.disk.meets = None
        [strike] = case.strikes
        random.seed(f"{case.scenario} {strike.operation} {strike.nth}")
        if strike.fault in PASSING and case.scenario != BOTH:
            alike = world.wire.alike = EquivalentFaults(lambda seen: self._known(self._passed(case, seen)))
            world.time.waits = alike.waits
        world.arm(replace(case, strikes=(InjectedFault(strike.fault, strike.operation, 1),)))

    def _end(self, code: int) -> dict[str, Any]:
        """What the case came to."""
        case = self._case
        assert case
        self._world.wire.alike = None
        if code and code not in (HANGS, CRASHED):
            self._known(self._left(case, code))
        verdict = Verdict(str(case), [code])
        self._world.go_on(case, verdict)
        verdict.seconds = self._seconds()
        return {"verdict": verdict.as_dict(), "keys": self._keys}

    def _seconds(self) -> float:
        return round(process_time() - self._start, 2)

    def _known(self, key: str) -> None:
        """End this process where it is known what comes of that; else it will be."""
        if (known := self._same.get(key)) and not self._each:
            alike = known["alike"] or known["case"]
            told = {**known, "case": str(self._case), "alike": alike, "seconds": self._seconds()}
            self._myself.end(lambda: {"verdict": told})
        self._keys.append(key)

    def _left(self, case: FaultCase, code: int) -> str:
        """Stands for all that an ended command leaves to the next one."""
        return f"{case.scenario} ended {code} {case.due} {self._world.wire.struck > 0} {self._stands()}"

    def _passed(self, case: FaultCase, seen: str) -> str:
        """Stands for all that follows from a fault that passes."""
        [strike] = case.strikes
        connection = self._world.wire.aws
        rates = sorted(connection.rates._buckets.items()) if connection else ()
        return f"{case.scenario} {strike.operation} {strike.nth} {seen} {rates} {self._stands()}"

    def _stands(self) -> str:
        world = self._world
        files = Files.under(world.home / "embedded").digest()
        return f"{sum(world.effects().values())} {files} {world.time.passed}"


def _whole(world: World, case: FaultCase) -> Verdict:
    """A case whose fault the undisturbed run did not come by: played from its beginning."""
    try:
        return Verdict(**in_child(lambda: world.try_(case).as_dict(), DEADLINE))
    except TooLong as late:
        return _late(case, late)


def _late(case: FaultCase, late: TooLong) -> Verdict:
    why = f"not at its end after {DEADLINE:.0f} s of its own:\n{late}"
    return Verdict(str(case), stuck=why, seconds=DEADLINE)


def _raise() -> None:
    raise  # noqa: PLE0704 - what is being handled where this is called
