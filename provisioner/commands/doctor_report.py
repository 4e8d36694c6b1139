"""`doctor`: the first fault between CloudFront and the database, and the command that mends it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from provisioner.commands.plan_context import print_check_summary, print_header
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.runner import NOT_CHECKED, WRONG, CheckResult, anything_found, first_finding, run_checks
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.errors import NoSuchStack, amount
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.doctor import CheckLine, show_checks

_NOT_HEALTHY = 1


def examine_stack(console: Console, session: Session, *, every: bool) -> int:
    """Show the checks as far as the first fault, or all with `every`; return the exit code.

    Raises:
        NoSuchStack: AWS has nothing of the stack.

    """
    print_header(console, session)
    started = time.monotonic()
    clock = session.clock
    clients = session.clients.with_shared_reads(BatchScope.of(session.state))
    results = run_checks(DoctorContext(session.suffix, clients, clock.wall(), session.state))
    if session.is_known and not anything_found(results):
        raise session.nothing_exists_error()
    if not session.is_known and not anything_found(results):
        raise NoSuchStack(
            f"No stack {session.suffix} is known {session.options.workspace.description}, and AWS has none in "
            f"{session.location.region}.",
            f"Bring one up: `{session.options.workspace.command('apply', session.suffix)}`.",
        )
    if session.is_busy:
        console.note("Another run is at work on this stack: what it has not finished is told as wrong.", "yellow")
    return _print_results(console, session, results, every=every, started=started)


def _print_results(
    console: Console, session: Session, results: list[CheckResult], *, every: bool, started: float
) -> int:
    """Print the checks and the faults, and return the exit code."""
    first = first_finding(results)
    printed = results if every or first is None else results[: results.index(first) + 1]
    findings = [result for result in results if result.finding] if every else [first] if first else []
    results_to_explain = sorted(findings, key=lambda result: result is not first)
    lines = [_line(session, result) for result in (results if console.as_json else printed)]
    show_checks(console, session.suffix, lines, [_line(session, result) for result in results_to_explain])
    print_check_summary(console, session, f"{amount(len(results), 'check')} made", started)
    _print_summary(console, results, len(printed))
    return _NOT_HEALTHY if any(result.status in (WRONG, NOT_CHECKED) for result in results) else 0


def _print_summary(console: Console, results: Sequence[CheckResult], printed_count: int) -> None:
    """Say how many more faults there are, or that nothing is wrong."""
    wrong = sum(result.finding is not None for result in results)
    unchecked = sum(result.status == NOT_CHECKED for result in results)
    if wrong > 1 and printed_count < len(results):
        further = wrong - 1
        summary = "1 more is wrong" if further == 1 else f"{further} more are wrong"
        console.note(f"{summary}, perhaps for the same reason: --all tells {'it' if further == 1 else 'them'}.")
    elif not wrong:
        console.note(
            "Nothing is wrong."
            if not unchecked
            else f"Nothing wrong was seen; {unchecked} {'was' if unchecked == 1 else 'were'} not checked."
        )


def _line(session: Session, result: CheckResult) -> CheckLine:
    """Return one check's result as a line to print."""
    check, finding = result.check, result.finding
    note = result.note or check.claim
    if finding is None:
        return CheckLine(check.stage, check.name, result.status, note)
    return CheckLine(
        check.stage,
        check.name,
        result.status,
        note,
        finding.name,
        finding.problem,
        finding.consequence,
        _complete_command(session, finding.command),
        finding.evidence,
    )


def _complete_command(session: Session, command: str) -> str:
    """Return a command to type: AWS's own with its region, ours with the options that select this stack."""
    if command.startswith("aws "):
        return command if "--region" in command else f"{command} --region {session.location.region}"
    return session.options.workspace.command(command, session.suffix)
