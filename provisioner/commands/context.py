"""The first steps of most commands: the console, the workspace, and the session of one stack.

`given` holds the values of a command's options by the names of their parameters, as click passes them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.output_options import QUERY
from provisioner.commands.redaction import redact_arguments
from provisioner.errors import Blocked, NoSuchStack, UsageError
from provisioner.project_folder import find_settings_file
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace

if TYPE_CHECKING:
    from provisioner.commands.saved_plan import SavedPlan
    from provisioner.commands.service_run import RolloutOptions
    from provisioner.engine.planning.selection import Selection
    from provisioner.location import AwsConnections
    from provisioner.session import Session
    from provisioner.settings import Settings

# M_ARENA_MAX of malloc.h.
_ARENA_MAX = -8


def console_and_workspace(given: dict[str, Any]) -> tuple[Console, Workspace]:
    """Return this command's console and workspace."""
    return console_from(given), Workspace.here(
        local=given["local"], state=given["state"], state_endpoint=given["state_endpoint"]
    )


def console_from(given: dict[str, Any]) -> Console:
    """Return this command's console."""
    query = click.get_current_context().meta.get(QUERY)
    return Console(as_json=given["as_json"], color=not given["no_color"], quiet=given["quiet"], query=query)


def settings_from(given: dict[str, Any]) -> Settings:
    """Return the settings from the file, the environment and the flags."""
    from provisioner.configuration import load_settings

    return load_settings(given["config"], given["sets"])


def open_session(
    given: dict[str, Any], workspace: Workspace, suffix: str, connections: AwsConnections | None = None
) -> Session:
    """Open the session of one stack, with the first calls; several sessions may share their `connections`."""
    from provisioner.location import LocationOptions
    from provisioner.names import check_suffix
    from provisioner.session import Session

    _limit_malloc_arenas()
    check_suffix(suffix)
    adopts = bool(given.get("adopt_all"))
    options = LocationOptions(workspace, given["region"], given["expect_account"], adopts)
    session = Session.open(suffix, settings_from(given), options, connections)
    _set_given_settings(session, given, given["sets"])
    if given.get("keep_settings"):
        from provisioner.applied_settings import kept_options

        _set_given_settings(session, given, (*kept_options(session), *given["sets"]))
    session.released = frozenset(given.get("take") or ())
    session.takes_over_run = bool(given.get("take_over"))
    session.warn = console_from(given).warn
    session.arguments = redact_arguments(click.get_current_context().obj or (), container_words())
    return session


def _set_given_settings(session: Session, given: dict[str, Any], sets: tuple[str, ...]) -> None:
    """Give the session the settings of the command line and of these values of `--set`, with their sources."""
    from provisioner.configuration import given_settings, validate_settings

    session.sets = sets
    session.given = given_settings(given["config"], sets)
    session.settings = validate_settings(session.given)
    session.settings_file = given["config"] or find_settings_file()


def open_known_session(given: dict[str, Any]) -> tuple[Console, Session]:
    """Return this command's console, and the session of the stack that is meant, which must be known."""
    console, workspace = console_and_workspace(given)
    return console, open_session(given, workspace, known_suffix(workspace, given["suffix"]))


def container_words() -> tuple[str, ...]:
    """Return the words of the command that is to run in a container; empty if this command takes none."""
    words = click.get_current_context().params.get("command") or ()
    return tuple(words) if isinstance(words, tuple) else ()


def _limit_malloc_arenas() -> None:
    """Let all threads share two malloc arenas: the many that glibc keeps cost a run 15 MB."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def selection_from(given: dict[str, Any]) -> Selection:
    """Return the selection by --target and --exclude."""
    from provisioner.engine.planning.selection import Selection

    return Selection(given["targets"], given["excludes"])


def rollout_from(given: dict[str, Any]) -> RolloutOptions:
    """Return the rollout options from the command line."""
    from provisioner.commands.service_run import RolloutOptions

    confirmation = Confirmation(given["yes"])
    return RolloutOptions(confirmation, given["service"], given["lock_timeout"], given["fail_fast"], given["smoke"])


def load_saved_plan(path: Path, given: dict[str, Any]) -> SavedPlan:
    """Return the plan in a file; its suffix, region and settings replace those of the command line.

    Raises:
        UsageError: The command line says otherwise than the plan.
        Blocked: The plan is of local AWS, and --local is missing.

    """
    from provisioner.commands.saved_plan import SavedPlan

    saved_plan = SavedPlan.load(path)
    _check_agreement(path, saved_plan, given)
    if given["targets"] or given["excludes"]:
        raise UsageError(
            f"{path} is a saved plan, which says itself what it is about.", "Leave --target and --exclude out."
        )
    if saved_plan.place["endpoint"].startswith("embedded:") and not given["local"]:
        raise Blocked(f"{path} is a plan of the local AWS.", "Add --local.")
    given["region"], given["sets"] = saved_plan.place["region"], (*saved_plan.sets, *given["sets"])
    given["config"] = Path(saved_plan.config) if saved_plan.config else None
    given["take"] = (*saved_plan.take, *given["take"])
    return saved_plan


def _check_agreement(path: Path, saved_plan: SavedPlan, given: dict[str, Any]) -> None:
    """Raise UsageError if --suffix, --region or --config is given, and is not that of the saved plan."""
    for flag, given_value, saved_value in (
        ("--suffix", given["suffix"], saved_plan.suffix),
        ("--region", given["region"], saved_plan.place["region"]),
        ("--config", given["config"] and str(given["config"].resolve()), saved_plan.config),
    ):
        if given_value and given_value != saved_value:
            raise UsageError(
                f"{path} is a plan of {flag} {saved_value or '(none)'}, not of {given_value}.",
                f"Leave {flag} out: the saved plan contains it.",
            )


def known_suffix(workspace: Workspace, suffix: str | None) -> str:
    """Return the given suffix, or that of the only known stack.

    Raises:
        NoSuchStack: No such stack is known, or the emulator that held it has ended.

    """
    chosen = workspace.choose_suffix(suffix)
    if workspace.load_state(chosen) is None:
        raise workspace.unknown_stack_error(chosen)
    workspace.check_emulator(chosen)
    return chosen


def for_each_stack(console: Console, workspace: Workspace, suffixes: list[str], show: Callable[[str], int]) -> int:
    """Show each stack, and return the highest exit code; one whose emulator has ended hides no other."""
    codes = [0]
    for suffix in suffixes:
        try:
            workspace.check_emulator(suffix)
            codes.append(show(suffix))
        except NoSuchStack as error:
            if len(suffixes) == 1:
                raise
            console.warn(error.message, error.hint)
            codes.append(error.exit_code)
    return max(codes)


def raise_missing_suffix() -> NoReturn:
    """Raise UsageError: this command must be told which stack."""
    raise UsageError("Which stack? Say --suffix NAME.", "Or set ENVIRONMENT_SUFFIX.")
