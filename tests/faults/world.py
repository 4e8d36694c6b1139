"""A user before an AWS of their own, in one process: commands that may die, and the judgement of the end."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from time import monotonic
from unittest.mock import patch

from provisioner import location
from provisioner import workspace as workspaces
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.plan_execution import ApplyOptions, apply_stack
from provisioner.commands.stack_teardown import tear_down_stack
from provisioner.configuration import load_settings
from provisioner.emulator.emulator import Emulator
from provisioner.emulator.local import RunningEmulator, consistency_window
from provisioner.errors import NoSuchStack
from provisioner.location import LocationOptions
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace
from state import lock
from state.errors import ProvisionerError
from tests.faults.case import APPLY, BOTH, KILLED, LEDGER, TEARDOWN, FaultCase, Verdict
from tests.faults.disk import FaultyDisk
from tests.faults.judge import Held, compare, held, is_kept
from tests.faults.on_the_way import ENDPOINT
from tests.faults.quick import quick
from tests.faults.simulated import Deadlock, Simulation
from tests.faults.wire import Killed, Wire, wired

SUFFIX = "t"
HANGS, CRASHED = -1, -2
# One command goes on where the last one ended, and to the end; two faults may end two of them.
_TRIES = 5
# The local AWS may hide what is new, not forget what it made: a second is an orphan at once.
SINGLE = (
    *("ec2:CreateVpc", "ec2:AllocateAddress", "ec2:CreateSubnet", "ec2:CreateInternetGateway"),
    *("kms:CreateKey", "acm:RequestCertificate", "cloudfront:CreateVpcOrigin"),
)


def first_of(case: FaultCase) -> str:
    """The command that meets the fault."""
    return TEARDOWN if case.scenario == TEARDOWN else APPLY


class World:
    """One user, one account; `clean` and `empty` are what it holds after an apply and a teardown."""

    # Where the stack lives, and the profile of its settings.
    profile, region = "seed", "us-east-1"
    # Where its state is, if not in a file of its home.
    state = ""

    def __init__(self, emulator: Emulator, home: Path, pace: float = 1.0, profile: str = "") -> None:
        self.box = emulator
        self.home = home
        self.pace = pace
        self.profile = profile or self.profile
        self.wire = Wire(emulator)
        self.disk = FaultyDisk(self.wire)
        self.time = Simulation()
        self.time.is_killed, self.time.check = (lambda: self.wire.dead), self.wire.check
        self.clean: Held = Counter()
        self.empty: Held = Counter()
        self.counts: dict[str, dict[str, int]] = {}
        self.said = ""
        # What is drawn by lot: two who are forked draw the same, and so write the same.
        self.dice = Random(0)
        # The settings of its stack.
        self.sets: list[str] = []

    @contextmanager
    def open(self) -> Iterator[World]:
        """Inside, this process acts in this world, and knows what an undisturbed run comes to."""
        with self.entered():
            self.learn()
            yield self

    @contextmanager
    def entered(self) -> Iterator[World]:
        """Inside, this process acts in this world."""
        emulator = RunningEmulator(ENDPOINT, os.getpid(), self.box.instance, self.pace, behaviours=True, started="")
        with ExitStack() as stack:
            stack.enter_context(self.time.running())
            stack.enter_context(quick())
            stack.enter_context(patch.object(os, "urandom", self.dice.randbytes))
            # A process is killed here, no machine: what is written is there.
            stack.enter_context(patch.object(os, "fsync", lambda _file: None))
            # Who is forked in a run holds the lock with its parent; nobody else is here to be kept out.
            stack.enter_context(patch.object(lock, "_try_exclusive_flock", lambda _file: True))
            stack.enter_context(patch.object(lock, "_is_flocked", lambda _file: False))
            for module, name in ((location, "start_emulator"), (workspaces, "running_emulator")):
                stack.enter_context(patch.object(module, name, lambda _home: emulator))
            stack.enter_context(wired(self.wire))
            stack.enter_context(self.disk.watched())
            self.box.behave(speed=self.pace, with_behaviours=True)
            random.seed(0)
            self.fresh()
            yield self

    def learn(self) -> None:
        """Watch an undisturbed apply and teardown."""
        for verb in (APPLY, TEARDOWN):
            since = max((call["n"] for call in self.box.calls.since()), default=0)
            self.disk.arm(())
            if self.run(verb):
                raise RuntimeError(f"an undisturbed {verb} fails: {self.said}")
            self.counts[verb] = {**self.effects(since), "ledger": self.disk.writes}
            if verb == APPLY:
                self.clean = self.look()
        self.empty = self.look()
        self.fresh()

    def effects(self, since: int = 0) -> Counter[str]:
        """How many calls changed AWS, by operation."""
        made = (call for call in self.box.calls.since(since) if call["mutating"] and not call["error"])
        return Counter(f"{call['service']}:{call['operation']}" for call in made)

    def fresh(self) -> None:
        """A new account and a new home."""
        self.box.reset()
        self.wire.remembered.forget()
        shutil.rmtree(self.home, ignore_errors=True)

    def look(self) -> Held:
        """What the account holds once nothing new hides any more."""
        self.time.advance(consistency_window(self.pace))
        return held(ENDPOINT, self.region)

    def run(self, verb: str) -> int:
        """One command; its exit code, KILLED where it died."""
        console, session, yes = Console(quiet=True), self._session, Confirmation(yes=True)
        self.said = ""
        self.time.begin()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                if verb == APPLY:
                    return apply_stack(console, session(), ApplyOptions(yes))
                return tear_down_stack(console, session(), yes, 0.0, unprotect=True)
        except Killed:
            self.time.bury()
            return KILLED
        except Deadlock as told:
            self.said = f"nobody runs and nobody sleeps: {told}"
            return HANGS
        except ProvisionerError as error:
            self.said = f"{type(error).__name__}: {error.message}\n{error.hint}"
            return error.exit_code
        except Exception as crash:  # noqa: BLE001 - a traceback is no end that a user may be shown
            self.said = f"it crashed: {crash!r}\n{traceback.format_exc()[-3000:]}"
            return CRASHED

    def _session(self) -> Session:
        settings = load_settings(None, [f"profile={self.profile}", *self.sets])
        workspace = Workspace(self.home, is_local=True, state_address=self.state)
        return Session.open(SUFFIX, settings, LocationOptions(workspace, self.region))

    def try_(self, case: FaultCase) -> Verdict:
        """Play a case from an empty account to its end."""
        verdict, start = Verdict(str(case)), monotonic()
        self.fresh()
        if case.scenario == TEARDOWN and self.run(APPLY):
            verdict.stuck = f"the first apply: {self.said}"
            return verdict
        self.arm(case)
        verdict.codes.append(self.run(first_of(case)))
        self.go_on(case, verdict)
        verdict.seconds = round(monotonic() - start, 2)
        return verdict

    def arm(self, case: FaultCase) -> None:
        """From now on its faults strike."""
        self.disk.arm(case.strikes)
        self.wire.arm(case.strikes, then_kill=case.scenario == BOTH)

    def go_on(self, case: FaultCase, verdict: Verdict) -> None:
        """Repeat, after the first command has met its faults, and judge what that came to."""
        self._repeat(case, verdict)
        self._judge(case, verdict)

    def _repeat(self, case: FaultCase, verdict: Verdict) -> None:
        first, then = first_of(case), APPLY if case.scenario == APPLY else TEARDOWN
        verdict.struck = self.wire.struck
        if verdict.struck and len(case.strikes) == 1 and case.scenario != BOTH:
            due = self._due(case)
            if verdict.codes[0] not in due:
                verdict.stuck = f"exit code {verdict.codes[0]}, not {' or '.join(map(str, due))}: {self.said}"
        if first == then and verdict.codes[0] == 0:
            return
        for _ in range(_TRIES if len(case.strikes) > 1 else 1):
            self.revive()
            verdict.codes.append(self.run(then))
            if verdict.codes[-1] in (0, NoSuchStack.exit_code):
                break
        verdict.struck = self.wire.struck

    def _due(self, case: FaultCase) -> tuple[int, ...]:
        """What the first command may end with; a full disk that met no ledger ends none."""
        is_of_disk = case.strikes[0].operation == LEDGER and case.due == (1,)
        return (0,) if is_of_disk and not self.disk.refused else case.due

    def revive(self) -> None:
        """Whatever ended the last command is over."""
        self.wire.revive()
        self.disk.revive()

    def _judge(self, case: FaultCase, verdict: Verdict) -> None:
        self.wire.arm(())
        self.disk.arm(())
        gone = case.scenario != APPLY
        if verdict.codes[-1] and not (gone and verdict.codes[-1] == NoSuchStack.exit_code):
            verdict.stuck = verdict.stuck or f"{verdict.codes}: {self.said}"
        found = compare(self.look(), self.empty if gone else self.clean)
        verdict.orphans = found.orphans + self._left(gone)
        verdict.duplicates = found.duplicates + self._made_twice()
        if found.missing and not (gone and all(map(is_kept, found.missing))):
            verdict.stuck = verdict.stuck or f"missing: {found.missing}"
        if not gone and (noise := self._noise()):
            verdict.stuck = verdict.stuck or f"plan is not silent: {noise}"

    def _made_twice(self) -> list[str]:
        """What may be made no second time, not even to be deleted again."""
        made, usual = self.effects(), self.counts[APPLY]
        return [f"{one} {made[one]} times" for one in SINGLE if made[one] > usual.get(one, 0)]

    def _noise(self) -> list[str]:
        plan = self._session().plan()
        return [f"{one.action} {one.logical_id}: {one.reason}" for one in [*plan.changes_to_make, *plan.adopted]]

    def _left(self, gone: bool) -> list[str]:
        """The ledger after a teardown, and drafts of it, which are for nobody."""
        files = [path.name for path in (self.home / "embedded").glob("*") if path.is_file()]
        files += [path.name for path in (self.home / "embedded").glob(".*")]
        kept = {f".{SUFFIX}.lock"} if gone else {f".{SUFFIX}.lock", f"{SUFFIX}.json"}
        return [f"file {name}" for name in sorted({*files} - kept)]
