"""The location of a command's stack (suffix, account, region, endpoint): its checks, and the connections to it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from provisioner.aws.connection import AwsConnection
from provisioner.aws.regions import choose_region
from provisioner.emulator.local import RunningEmulator, start_emulator
from provisioner.engine.calls.caller import caller_location
from provisioner.errors import Blocked, CredentialsError, UsageError
from provisioner.resources import RESOURCE_TYPES
from provisioner.steps.lookups import are_valid_lookups
from provisioner.stopping import begin_change
from provisioner.workspace import EMULATOR_PREFIX, Workspace
from state.errors import StateError
from state.stack_state import StackLocation, StackState


@dataclass(frozen=True)
class LocationOptions:
    """The command line's options about the location: workspace, region, account, and whether to adopt all."""

    workspace: Workspace
    region: str | None = None
    account: str | None = None
    adopt_all: bool = False


def load_known_state(options: LocationOptions, suffix: str, emulator: RunningEmulator | None) -> StackState | None:
    """Return the stack's state; None if there is none, or if its local AWS has ended with all that it held.

    With `adopt_all`, an unusable state counts as none: the resources in it are found again in AWS.

    Raises:
        StateError: The state is damaged, another stack's, or has resource types that this version lacks.

    """
    try:
        state = load_usable_state(options.workspace, suffix)
    except StateError:
        if not options.adopt_all:
            raise
        return None
    if state is None:
        return None
    if state.suffix != suffix:
        raise StateError(
            f"{options.workspace.store(suffix).description} is the state of the stack {state.suffix}, not of {suffix}.",
            f"Give `--suffix {state.suffix}`, or another --state.",
        )
    has_ended = emulator and state.location.endpoint != f"{EMULATOR_PREFIX}{emulator.instance}"
    return None if has_ended and state.location.endpoint.startswith(EMULATOR_PREFIX) else state


def load_usable_state(workspace: Workspace, suffix: str) -> StackState | None:
    """Return the stack's state; None if there is none.

    Raises:
        StateError: The state is damaged, or has resource types that this version lacks.

    """
    state = workspace.load_state(suffix)
    if state and not are_valid_lookups(state.lookups):
        raise StateError(
            f"{workspace.store(suffix).description} is damaged: what was chosen once for the stack cannot be so.",
            f"`{workspace.command('state history', suffix)}` lists what it was before.",
        )
    unknown_types = (
        [
            f"{logical_id} ({type_name})"
            for logical_id, type_name in state.type_names()
            if type_name not in RESOURCE_TYPES
        ]
        if state
        else []
    )
    if state and unknown_types:
        raise StateError(
            f"{workspace.store(suffix).description} tells of what this version does not know: "
            f"{', '.join(unknown_types)}.",
            f"It was written by {state.writer}: use that version, or a later one.",
        )
    return state


def quarantine_unusable_state(options: LocationOptions, suffix: str) -> None:
    """With `adopt_all`, rename an unusable state. Call this only under the stack's lock."""
    if not options.adopt_all:
        return
    try:
        load_usable_state(options.workspace, suffix)
    except StateError:
        begin_change()
        options.workspace.quarantine(suffix)


def region_of(suffix: str, state: StackState | None, options: LocationOptions) -> tuple[str, str]:
    """Return the stack's region, and which source named it.

    Raises:
        UsageError: --region differs from the region in the state, or there is no such region.

    """
    if state is None:
        chosen = choose_region(options.region, local=options.workspace.is_local)
        return chosen.name, chosen.source
    region = state.location.region
    if options.region:
        choose_region(options.region)
    if options.region and options.region != region:
        raise UsageError(
            f"The stack {suffix} lives in {region}, not in {options.region}.",
            f"Leave --region out, or take another suffix for {options.region}: "
            f"`{options.workspace.command('apply', 'OTHER')} --region {options.region}`.",
        )
    return region, "the stack's state"


def check_account(location: StackLocation, expected: str | None) -> None:
    """Check that the credentials are of the expected account, if one is expected.

    Raises:
        CredentialsError: They are of another account.

    """
    if expected is not None and location.account != expected:
        raise CredentialsError(
            f"These credentials are of the account {location.account}; {expected} is expected.",
            "Nothing was looked at. Set AWS_PROFILE to a profile of that account, or change the expectation.",
        )


def check_location(state: StackState, suffix: str, location: StackLocation, workspace: Workspace) -> None:
    """Check that the state belongs to the location at which the command acts.

    Raises:
        CredentialsError: The state is of another account.
        Blocked: The state is of another region, partition or endpoint.

    """
    recorded = state.location
    if recorded.account != location.account:
        raise CredentialsError(
            f"The stack {suffix} lives in the account {recorded.account}; these credentials are of {location.account}.",
            f"Set AWS_PROFILE to a profile of {recorded.account}.",
        )
    if recorded != location:
        raise Blocked(
            f"The state {workspace.store(suffix).description} is of {_describe_location(recorded)}; "
            f"this command would act on {_describe_location(location)}.",
            "Use the endpoint it was made with (--local for the local AWS), or another --state.",
        )


def _describe_location(location: StackLocation) -> str:
    """Describe a location in a message."""
    return f"{location.description}, endpoint {location.endpoint or 'AWS'}"


class AwsConnections:
    """A command's connections by region, each with its location, which is looked up once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._by_region: dict[str, tuple[AwsConnection, StackLocation]] = {}

    @functools.cached_property
    def local(self) -> RunningEmulator | None:
        """The emulator, which is started if necessary; None for AWS itself."""
        if not self._workspace.is_local:
            return None
        return self._workspace.state_emulator() or start_emulator(self._workspace.emulator_folder)

    def in_region(self, region: str) -> tuple[AwsConnection, StackLocation]:
        """Return the connection to a region, and its location; the first time, calls GetCallerIdentity."""
        if region not in self._by_region:
            connection = AwsConnection(region, self.local)
            self._by_region[region] = connection, caller_location(connection)
        return self._by_region[region]
