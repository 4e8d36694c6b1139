"""`plan`: what an apply would do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner.commands.estimates import plan_estimate, refresh_prices
from provisioner.commands.output_files import append_job_summary, set_job_outputs, write
from provisioner.commands.plan_context import context_notes, print_checked_resources, print_header, refusal_error
from provisioner.commands.saved_plan import holds_variables, save_plan
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection, select, with_marker
from provisioner.errors import amount
from provisioner.names import PROGRAM
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.estimate import PlanEstimate
from provisioner.terminal.markdown import plan_markdown
from provisioner.terminal.plan import show_plan, shown_changes

CHANGES_PRESENT = 2


@dataclass(frozen=True)
class PlanView:
    """The options of showing a plan.

    `detailed` makes the exit code tell of changes, `among_others` says that several stacks are shown, and
    `with_new_prices` asks AWS for prices first.
    """

    detailed: bool = False
    among_others: bool = False
    with_new_prices: bool = False
    # The file for the comment on a pull request.
    markdown: Path | None = None

    def print_heading(self, console: Console, session: Session) -> None:
        """Fetch prices if that is wanted, and print the stack's name if there are several."""
        if self.with_new_prices:
            refresh_prices(console, session)
        if self.among_others and not console.as_json:
            console.data(f"{session.suffix}:")

    def publish(self, session: Session, plan: Plan, estimate: PlanEstimate) -> None:
        """Give the plan to GitHub if this is a job there, and write it as Markdown to a file, if given."""

        def text() -> str:
            return plan_markdown(plan, estimate)

        append_job_summary(text, session.warn)
        if not self.among_others:
            set_job_outputs({"changes": len(shown_changes(plan))}, session.warn)
        if self.markdown:
            write(self.markdown, text())

    def exit_code(self, *, changes: bool) -> int:
        """Return the exit code: 2 if there are changes and `detailed` is set, else 0."""
        return CHANGES_PRESENT if self.detailed and changes else 0


@dataclass(frozen=True)
class PlanFile:
    """The file in which a plan is saved, with `--config` and `--set` as they were typed."""

    path: Path
    config: Path | None
    typed_sets: tuple[str, ...]


def plan_stack(
    console: Console, session: Session, view: PlanView, selection: Selection, plan_file: PlanFile | None = None
) -> int:
    """Show what an apply would do, and save the plan if a file is named; return the exit code.

    Raises:
        Blocked: A plan to be saved cannot be applied.

    """
    started = time.monotonic()
    plan = _print_plan(console, session, view, selection)
    print_checked_resources(console, session, plan, started)
    if plan_file:
        _write_plan_file(console, session, plan, selection, plan_file)
    return view.exit_code(changes=bool(shown_changes(plan)))


def _print_plan(console: Console, session: Session, view: PlanView, selection: Selection) -> Plan:
    """Make the selected plan of one stack, print and publish it, and return it."""
    print_header(console, session)
    full_plan = context_notes(session, session.plan())
    plan = with_marker(full_plan, select(full_plan, selection))
    view.print_heading(console, session)
    estimate = plan_estimate(session, plan)
    show_plan(console, plan, estimate)
    view.publish(session, plan, estimate)
    return plan


def _write_plan_file(console: Console, session: Session, plan: Plan, selection: Selection, plan_file: PlanFile) -> None:
    """Save the plan, and say how to apply it.

    Raises:
        Blocked: The plan cannot be applied; nothing is written.

    """
    if plan.refused:
        blocked = refusal_error(plan)
        blocked.hint += f" {plan_file.path} was not written: there is nothing to apply."
        raise blocked
    save_plan(session, plan, selection, plan_file.config).save(plan_file.path)
    local = ["--local"] if session.aws.local else []
    repeated = _options_to_repeat(session, plan_file.typed_sets)
    command = " ".join([PROGRAM, "apply", str(plan_file.path), *local, *repeated])
    reason = "; the file keeps no environment variables, so they are given again" if repeated else ""
    console.note(f"Kept in {plan_file.path}: `{command}` does exactly that{reason}.")


def _options_to_repeat(session: Session, typed_sets: Sequence[str]) -> list[str]:
    """Return the options that the apply of a saved plan needs: those that give variables, which no file keeps."""
    with_variables = [option for option in session.sets if holds_variables(option)]
    paths = dict.fromkeys(option.partition("=")[0] for option in with_variables if option in typed_sets)
    is_kept = any(option not in typed_sets for option in with_variables)
    return [*(f"--set {path}=..." for path in paths), *(["--keep-settings"] if is_kept else [])]


def plan_stacks(console: Console, sessions: list[Session], view: PlanView, selection: Selection) -> int:
    """Show what an apply would do to each stack; stacks of one region are read together."""
    started = time.monotonic()
    share_reads(sessions)
    plans = [_print_plan(console, session, view, selection) for session in sessions]
    connections = {id(session.aws): session.aws for session in sessions}.values()  # sessions share them
    calls = sum(connection.calls.counts.total() for connection in connections)
    resources = sum(plan.state.resource_count for plan in plans)
    counts = f"{amount(resources, 'resource')} of {amount(len(sessions), 'stack')} checked"
    console.note(f"{counts} with {amount(calls, 'call')} in {time.monotonic() - started:.1f} s", "dim")
    return view.exit_code(changes=any(shown_changes(plan) for plan in plans))


def share_reads(sessions: Iterable[Session]) -> None:
    """Let the sessions of one region share their next reads: equal reads are made once for all of them."""
    regions: dict[str, list[Session]] = {}
    for session in sessions:
        regions.setdefault(session.location.region, []).append(session)
    for sessions_of_region in regions.values():
        shared_clients = sessions_of_region[0].clients.with_shared_reads(
            BatchScope.of(*(session.state for session in sessions_of_region))
        )
        for session in sessions_of_region:
            session.shared_clients = shared_clients
