"""A user with an account of their own, in one process: runs commands that may be killed, and judges the end."""

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
from tests.faults.account_difference import Inventory, compare, inventory_of, is_retained
from tests.faults.cached_moto import cached_moto
from tests.faults.fault_case import APPLY, BOTH, KILLED, STATE_WRITE, TEARDOWN, FaultCase, Verdict
from tests.faults.faulty_disk import FaultyDisk
from tests.faults.network_faults import ENDPOINT
from tests.faults.simulation import Deadlock, Simulation
from tests.faults.wire import Killed, Wire, patched_clients

SUFFIX = "t"
DEADLOCKED, CRASHED = -1, -2
# With one fault, the second run must complete; several faults may end several runs.
_MAX_RUNS = 5
# Operations that make an orphan if they are called twice, even if it is deleted again.
NEVER_TWICE = (
    *("ec2:CreateVpc", "ec2:AllocateAddress", "ec2:CreateSubnet", "ec2:CreateInternetGateway"),
    *("kms:CreateKey", "acm:RequestCertificate", "cloudfront:CreateVpcOrigin"),
)


def faulted_command(case: FaultCase) -> str:
    """Return the command that meets the fault."""
    return TEARDOWN if case.scenario == TEARDOWN else APPLY


class World:
    """One user and one account; `after_apply` and `after_teardown` are its inventories after undisturbed runs."""

    # The profile of the settings, and the region of the stack.
    profile, region = "seed", "us-east-1"
    # The address of its state, "" for a file in its home.
    state = ""

    def __init__(self, emulator: Emulator, home: Path, pace: float = 1.0, profile: str = "") -> None:
        self.emulator = emulator
        self.home = home
        self.speed = pace
        self.profile = profile or self.profile
        self.wire = Wire(emulator)
        self.disk = FaultyDisk(self.wire)
        self.time = Simulation()
        self.time.is_killed, self.time.check = (lambda: self.wire.is_killed), self.wire.check
        self.after_apply: Inventory = Counter()
        self.after_teardown: Inventory = Counter()
        self.counts: dict[str, dict[str, int]] = {}
        self.error_text = ""
        # Random bytes: two forked processes draw the same, and so write the same.
        self.random = Random(0)
        # Settings of the stack, as `--set` takes them.
        self.settings: list[str] = []

    @contextmanager
    def open(self) -> Iterator[World]:
        """Act in this world, after recording the inventories and calls of undisturbed runs."""
        with self.active():
            self.record_baseline()
            yield self

    @contextmanager
    def active(self) -> Iterator[World]:
        """Let this process act in this world."""
        emulator = RunningEmulator(
            ENDPOINT, os.getpid(), self.emulator.instance, self.speed, behaviours=True, started=""
        )
        with ExitStack() as stack:
            stack.enter_context(self.time.running())
            stack.enter_context(cached_moto())
            stack.enter_context(patch.object(os, "urandom", self.random.randbytes))
            # A process is killed here, not a machine: what is written is on disk.
            stack.enter_context(patch.object(os, "fsync", lambda _file: None))
            # A forked child shares the file lock with its parent, and nobody else is there to be kept out.
            stack.enter_context(patch.object(lock, "_try_exclusive_flock", lambda _file: True))
            stack.enter_context(patch.object(lock, "_is_flocked", lambda _file: False))
            for module, name in ((location, "start_emulator"), (workspaces, "running_emulator")):
                stack.enter_context(patch.object(module, name, lambda _home: emulator))
            stack.enter_context(patched_clients(self.wire))
            stack.enter_context(self.disk.patched())
            self.emulator.behave(speed=self.speed, with_behaviours=True)
            random.seed(0)
            self.reset()
            yield self

    def record_baseline(self) -> None:
        """Record calls and inventories of an undisturbed apply and teardown."""
        for verb in (APPLY, TEARDOWN):
            since = max((call["n"] for call in self.emulator.calls.since()), default=0)
            self.disk.arm(())
            if self.run(verb):
                raise RuntimeError(f"an undisturbed {verb} fails: {self.error_text}")
            self.counts[verb] = {**self.mutations(since), STATE_WRITE: self.disk.writes}
            if verb == APPLY:
                self.after_apply = self.inventory()
        self.after_teardown = self.inventory()
        self.reset()

    def mutations(self, since: int = 0) -> Counter[str]:
        """Return the number of calls that changed AWS, by operation."""
        calls = (call for call in self.emulator.calls.since(since) if call["mutating"] and not call["error"])
        return Counter(f"{call['service']}:{call['operation']}" for call in calls)

    def reset(self) -> None:
        """Begin with a new account and a new home."""
        self.emulator.reset()
        self.wire.cached_reads.forget()
        shutil.rmtree(self.home, ignore_errors=True)

    def inventory(self) -> Inventory:
        """Return the inventory of the account once all that is new is visible."""
        self.time.advance(consistency_window(self.speed))
        return inventory_of(ENDPOINT, self.region)

    def run(self, verb: str) -> int:
        """Run one command; return its exit code, KILLED if it was killed."""
        console, session, yes = Console(quiet=True), self._session, Confirmation(yes=True)
        self.error_text = ""
        self.time.begin_run()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                if verb == APPLY:
                    return apply_stack(console, session(), ApplyOptions(yes))
                return tear_down_stack(console, session(), yes, 0.0, unprotect=True)
        except Killed:
            self.time.drain()
            return KILLED
        except Deadlock as deadlock:
            self.error_text = f"deadlock: {deadlock}"
            return DEADLOCKED
        except ProvisionerError as error:
            self.error_text = f"{type(error).__name__}: {error.message}\n{error.hint}"
            return error.exit_code
        except Exception as crash:  # noqa: BLE001 - a traceback fails the case
            self.error_text = f"it crashed: {crash!r}\n{traceback.format_exc()[-3000:]}"
            return CRASHED

    def _session(self) -> Session:
        settings = load_settings(None, [f"profile={self.profile}", *self.settings])
        workspace = Workspace(self.home, is_local=True, state_address=self.state)
        return Session.open(SUFFIX, settings, LocationOptions(workspace, self.region))

    def play(self, case: FaultCase) -> Verdict:
        """Play a case from an empty account to its end; return the verdict."""
        verdict, start = Verdict(str(case)), monotonic()
        self.reset()
        if case.scenario == TEARDOWN and self.run(APPLY):
            verdict.stuck = f"the first apply: {self.error_text}"
            return verdict
        self.arm(case)
        verdict.exit_codes.append(self.run(faulted_command(case)))
        self.finish(case, verdict)
        verdict.seconds = round(monotonic() - start, 2)
        return verdict

    def arm(self, case: FaultCase) -> None:
        """Let the faults of a case happen from now on."""
        self.disk.arm(case.faults)
        self.wire.arm(case.faults, then_kill=case.scenario == BOTH)

    def finish(self, case: FaultCase, verdict: Verdict) -> None:
        """Run again after the first command has met its faults, and judge the end."""
        self._run_again(case, verdict)
        self._judge(case, verdict)

    def _run_again(self, case: FaultCase, verdict: Verdict) -> None:
        first, then = faulted_command(case), APPLY if case.scenario == APPLY else TEARDOWN
        verdict.fired = self.wire.fired
        if verdict.fired and len(case.faults) == 1 and case.scenario != BOTH:
            expected = self._expected_exit_codes(case)
            if verdict.exit_codes[0] not in expected:
                verdict.stuck = (
                    f"exit code {verdict.exit_codes[0]}, not {' or '.join(map(str, expected))}: {self.error_text}"
                )
        if first == then and verdict.exit_codes[0] == 0:
            return
        for _ in range(_MAX_RUNS if len(case.faults) > 1 else 1):
            self.end_faults()
            verdict.exit_codes.append(self.run(then))
            if verdict.exit_codes[-1] in (0, NoSuchStack.exit_code):
                break
        verdict.fired = self.wire.fired

    def _expected_exit_codes(self, case: FaultCase) -> tuple[int, ...]:
        """Return what the first command may end with; a disk fault that met no state write ends no run."""
        is_disk_fault = case.faults[0].operation == STATE_WRITE and case.expected_exit_codes == (1,)
        return (0,) if is_disk_fault and not self.disk.state_write_failed else case.expected_exit_codes

    def end_faults(self) -> None:
        """End all faults that ended the last command."""
        self.wire.revive()
        self.disk.reset_failure()

    def _judge(self, case: FaultCase, verdict: Verdict) -> None:
        self.wire.arm(())
        self.disk.arm(())
        is_gone = case.scenario != APPLY
        if verdict.exit_codes[-1] and not (is_gone and verdict.exit_codes[-1] == NoSuchStack.exit_code):
            verdict.stuck = verdict.stuck or f"{verdict.exit_codes}: {self.error_text}"
        found = compare(self.inventory(), self.after_teardown if is_gone else self.after_apply)
        verdict.orphans = found.orphans + self._leftover_files(is_gone)
        verdict.duplicates = found.duplicates + self._created_twice()
        if found.missing and not (is_gone and all(map(is_retained, found.missing))):
            verdict.stuck = verdict.stuck or f"missing: {found.missing}"
        if not is_gone and (changes := self.plan_changes()):
            verdict.stuck = verdict.stuck or f"plan is not silent: {changes}"

    def _created_twice(self) -> list[str]:
        """Return the operations of NEVER_TWICE that were called more often than usual."""
        calls, usual = self.mutations(), self.counts[APPLY]
        return [f"{one} {calls[one]} times" for one in NEVER_TWICE if calls[one] > usual.get(one, 0)]

    def plan_changes(self) -> list[str]:
        """Return the changes that a plan shows now."""
        plan = self._session().plan()
        return [f"{one.action} {one.logical_id}: {one.reason}" for one in [*plan.changes_to_make, *plan.adopted]]

    def _leftover_files(self, is_gone: bool) -> list[str]:
        """Return files beside the state that should not exist: the state after a teardown, and temporary files."""
        files = [path.name for path in (self.home / "embedded").glob("*") if path.is_file()]
        files += [path.name for path in (self.home / "embedded").glob(".*")]
        expected = {f".{SUFFIX}.lock"} if is_gone else {f".{SUFFIX}.lock", f"{SUFFIX}.json"}
        return [f"file {name}" for name in sorted({*files} - expected)]
