"""One command's work on one stack: its location, its state and lock, and the connection to AWS."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from provisioner.aws.connection import AwsConnection
from provisioner.aws.regions import check_partition
from provisioner.configuration import GivenSetting
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.execution.events import EventBus
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.planning.drift import DriftReport, look_for_drift
from provisioner.engine.planning.plan import Plan, managed_resource_of
from provisioner.engine.planning.plan_builder import make_plan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.run_marker.mark import RunIdentity
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.errors import NoSuchStack
from provisioner.location import (
    AwsConnections,
    LocationOptions,
    check_account,
    check_location,
    load_known_state,
    quarantine_unusable_state,
    region_of,
)
from provisioner.lookups import describe_upgrade, look_up, with_domain, with_pull_rules
from provisioner.names import WRITER
from provisioner.overrides import read_overrides, running_revisions, show_overrides
from provisioner.resources import RESOURCE_TYPES
from provisioner.settings import Settings
from provisioner.settings.overrides import ServiceOverrides
from provisioner.settings.variants import with_zones
from provisioner.stack import build, build_all
from provisioner.steps.endpoints import check_images_reachable
from provisioner.workspace import unfinished_teardown
from state.errors import LockHeld
from state.findings import StateFindings
from state.lock import Lock
from state.lock_holder import LockHolder
from state.manager import StateManager
from state.run_record import is_valid_run_record
from state.stack_state import SCHEMA, StackLocation, StackState
from state.state_store import StateStore, save_version

_CLAIM_ATTEMPTS = 3
# Durations are estimated from this many of the newest run records.
_RECORDS_FOR_ESTIMATES = 50
_NO_IMAGES: Mapping[str, str] = {}


@dataclass
class Session:
    """One stack that a command works on; nothing is called before `open`."""

    suffix: str
    settings: Settings
    options: LocationOptions
    aws: AwsConnection
    location: StackLocation
    state: StackState
    clock: Clock = field(default_factory=Clock)
    events: EventBus = field(default_factory=EventBus)
    region_source: str = ""
    # The last holder of the stack's lock before this command, and whether that run was still under way.
    previous_holder: LockHolder | None = None
    is_busy: bool = False
    # Whether the emulator that held the stack has ended: nothing exists then, whatever the state says.
    emulator_has_ended: bool = False
    # The command line as typed, without values that may be secret.
    arguments: list[str] = field(default_factory=list)
    # Reports a problem that stopped nothing, and a hint, beside the command's answer.
    warn: Callable[[str, str], None] = lambda *_: None
    # What the settings take back from `deploy` or `scale` in this run: `image`, `counts`.
    released: frozenset[str] = frozenset()
    # The command that holds the lock.
    command: str = ""
    # Whether to take over from another run whose mark is on the stack, as that run is known to be dead.
    takes_over_run: bool = False
    # Clients whose reads are shared with other stacks.
    shared_clients: Clients | None = None
    # The values of `--set` that count, the given settings by path with their sources, and the settings file read.
    sets: tuple[str, ...] = ()
    given: Mapping[str, GivenSetting] = field(default_factory=dict)
    settings_file: Path | None = None
    # Raises if this run may change nothing any more.
    guard: Callable[[], None] = lambda: None

    @classmethod
    def open(
        cls, suffix: str, settings: Settings, options: LocationOptions, connections: AwsConnections | None = None
    ) -> Session:
        """Open a stack: find its location, and check that it is the one meant; only calls GetCallerIdentity.

        Sessions that are given the same `connections` share their connections.

        Raises:
            UsageError: The region differs from that of the state, or cannot be used.
            CredentialsError: The account is not the one expected, or not that of the state.
            Blocked: The state is of another endpoint or partition.
            StateError: The state cannot be used.

        """
        workspace = options.workspace
        connections = AwsConnections(workspace) if connections is None else connections
        emulator = connections.local
        state = load_known_state(options, suffix, emulator)
        region, source = region_of(suffix, state, options)
        connection, location = connections.in_region(region)
        check_account(location, settings.account if options.account is None else options.account)
        check_partition(location.partition, region)
        # With `adopt_all`, an unusable state counts as none.
        has_no_state = state is None and emulator and not options.adopt_all
        former_state = workspace.load_state(suffix) if has_no_state else None
        if state is None:
            state = StackState(suffix, location)
        check_location(state, suffix, location, workspace)
        previous_holder, is_busy = workspace.lock(suffix, "", 0, Clock()).last_holder()
        return cls(
            suffix,
            settings,
            options,
            connection,
            location,
            state,
            region_source=source,
            previous_holder=previous_holder,
            is_busy=is_busy,
            emulator_has_ended=former_state is not None and workspace.emulator_has_ended(former_state),
        )

    @property
    def clients(self) -> Clients:
        """The clients for calls to AWS; the guard is asked before each change."""
        return Clients(self.aws, self.clock, self.guard)

    @property
    def is_known(self) -> bool:
        """Whether a state of this stack existed when the command began."""
        return self.state.serial > 0

    def plan(self, *, teardown: bool = False, shipping: Mapping[str, str] = _NO_IMAGES) -> Plan:
        """Return the plan of `apply`, or of a teardown if `teardown`; makes no mutating call.

        `shipping` holds images by service; they count as deployed already.
        """
        clients = self.shared_clients or self.clients.with_shared_reads(BatchScope.of(self.state))
        return self._plan_declared_stack(clients, teardown=teardown, shipping=shipping)

    def drift(self) -> tuple[DriftReport, Plan]:
        """Return the differences between the state and AWS, and the plan for them; makes no mutating call.

        Raises:
            NoSuchStack: None of the resources that the state records exists any more.

        """
        clients = self.clients.with_shared_reads(BatchScope.of(self.state))
        plan = self._plan_declared_stack(clients)
        report = look_for_drift(plan, clients, RESOURCE_TYPES)
        if report.is_empty:
            raise self.nothing_exists_error()
        return report, plan

    def nothing_exists_error(self) -> NoSuchStack:
        """Return the error for a stack of which AWS has no resource, whatever its state says."""
        workspace, location = self.options.workspace, self.location
        teardown_clause = unfinished_teardown(self.state)
        return NoSuchStack(
            f"Nothing of the stack {self.suffix} stands in {location.description}"
            f"{f', endpoint {location.endpoint}' if location.endpoint else ''}: AWS has none of the resources that "
            f"{workspace.store(self.suffix).description} tells of{f'; {teardown_clause}' if teardown_clause else ''}.",
            f"`{workspace.command('apply', self.suffix)}` brings it up again; "
            f"`{workspace.command('teardown', self.suffix)}` removes what the state file tells.",
        )

    def _plan_declared_stack(
        self, clients: Clients, *, teardown: bool = False, shipping: Mapping[str, str] = _NO_IMAGES
    ) -> Plan:
        """Return the plan of the declared stack, with the values that `deploy` and `scale` chose."""
        if not teardown:
            check_images_reachable(self.settings, self.location.region)
        lookups = look_up(clients, self.suffix, self.settings, self.state, is_teardown=teardown)
        settings = self.settings
        if teardown:
            settings = with_domain(settings, lookups)
            settings = with_zones(settings, len(lookups.zones))
        build_stack = build_all if teardown else build
        stack = build_stack(settings, self.suffix, self.location.region, lookups)
        overrides = {} if teardown else read_overrides(clients, settings, stack, self.state, self.released)
        for name, image in shipping.items():
            overrides[name] = replace(overrides.get(name, ServiceOverrides()), image=image)
        lookups = replace(lookups, overrides=overrides)
        if not teardown:
            lookups = with_pull_rules(clients, settings, lookups)
        if overrides or lookups.pull_through_repositories:
            stack = build_stack(settings, self.suffix, self.location.region, lookups)
        findings = StateFindings(lookups.recorded, running_revisions(self.state, stack, overrides))
        plan = make_plan(stack, self.state, clients, RESOURCE_TYPES, findings)
        if lookups.moved_from:
            plan.notes.append(describe_upgrade(lookups.moved_from, lookups.engine["EngineVersion"]))
        show_overrides(plan, settings, overrides)
        return plan

    @contextmanager
    def locked(self, command: str, timeout: float) -> Iterator[None]:
        """Hold the stack's lock during the block, and read again what other runs wrote in the meantime."""
        store = self.options.workspace.store(self.suffix)
        with self.options.workspace.lock(self.suffix, command, timeout, self.clock) as lock:
            quarantine_unusable_state(self.options, self.suffix)
            self.claim_state(store, lock)
            self.guard = lock.ensure_held
            self.is_busy = False
            self.command = command
            try:
                yield
            finally:
                store.release_claim()

    def claim_state(self, store: StateStore, lock: Lock) -> None:
        """Read the state again and claim it, so that no earlier lock can write it; save its old version."""
        for _ in range(_CLAIM_ATTEMPTS):
            latest = load_known_state(self.options, self.suffix, self.aws.local)
            if latest is not None:
                check_location(latest, self.suffix, self.location, self.options.workspace)
                self.state = latest
                save_version(store, latest, WRITER)
            self.state.fencing_token = max(lock.fencing_token, self.state.fencing_token + 1)
            lock.ensure_held()  # after a long sleep, the lock may be another run's
            if store.claim(self.state.dump(WRITER)):
                # removes at once what an older schema stored in clear text
                if self.state.loaded_schema != SCHEMA:
                    store.save(self.state.dump(WRITER))
                return
        raise LockHeld(f"{store.description} is still being written by another run.", "Run the same command again.")

    def marker(self, plan: Plan) -> RunMarker | None:
        """Return the marker of the plan's stack, whose tag says which run is at work; None if it has none."""
        return self.marker_of((plan.unfiltered or plan).stack)

    def marker_of(self, stack: Stack) -> RunMarker | None:
        """Return the marker of a declared stack; None if it has none."""
        resource = stack.resources.get(stack.marker)
        if resource is None:
            return None
        managed = managed_resource_of(
            resource, self.suffix, self.state.resources.get(resource.logical_id), dict(resource.props)
        )
        take_over_hint = f"Where it is known to be dead, `{self._resume_command} --take-over` goes on in its place."
        identity = RunIdentity(
            self.state.lineage, self.aws.caller, socket.gethostname(), self.takes_over_run, take_over_hint
        )
        return RunMarker(self.clients, managed, identity)

    @property
    def _resume_command(self) -> str:
        """The command that goes on for a dead run: a teardown for a teardown, else an apply."""
        action = "teardown" if self.command == "teardown" else "apply"
        return self.options.workspace.command(action, self.suffix)

    def remove_state(self) -> None:
        """Forget the stack: it is gone, and was seen to be."""
        self.options.workspace.store(self.suffix).remove()

    def state_manager(self) -> StateManager:
        """Return the writer of the state."""
        return StateManager(self.state, self.options.workspace.store(self.suffix), WRITER, self.clock.wall, self.guard)

    def executor(self, plan: Plan | None = None, marker: RunMarker | None = None) -> ResourceExecutor:
        """Return an executor of changes, which writes the state around each call.

        `plan` is the plan that it carries out, if there is one: what the plan found out is recorded first.
        """
        state_manager = self.state_manager()
        if plan is not None:
            state_manager.record_findings(plan.findings)
        executor = ResourceExecutor(self.clients, state_manager, self.events.publish, self.duration_history, marker)
        executor.resource_calls.recent.add_recorded(self.state.resources, RESOURCE_TYPES)
        return executor

    @functools.cached_property
    def duration_history(self) -> DurationHistory:
        """How long each step took in earlier runs here, of this stack and of others."""
        records = (
            doc
            for doc in self.options.workspace.runs.latest_records(_RECORDS_FOR_ESTIMATES)
            if is_valid_run_record(doc)
        )
        return DurationHistory.from_records(records, self.aws.speed, self.location.region)
