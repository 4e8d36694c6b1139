"""Output of the checks of `doctor`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provisioner.terminal.console import Console
from provisioner.terminal.tables import table_lines
from state.serialization import json_fields

_COLORS = {"ok": "green", "wrong": "red", "not checked": "yellow", "none": "dim"}


@dataclass(frozen=True)
class CheckLine:
    """The result of one check; the fields from `finding` on describe the problem, and are "" without one.

    `stage` is the part of the stack that was checked, `consequence` why the problem matters, `command` what to type.
    """

    stage: str = field(metadata={"json": "station"})
    check: str
    status: str = field(metadata={"json": "state"})
    note: str
    finding: str = ""
    problem: str = field(default="", metadata={"json": "what"})
    consequence: str = field(default="", metadata={"json": "why"})
    command: str = field(default="", metadata={"json": "type"})
    evidence: str = ""


def show_checks(console: Console, suffix: str, lines: Sequence[CheckLine], detailed: Sequence[CheckLine]) -> None:
    """Print a line for each check, then the details of some findings.

    Args:
        console: The console.
        suffix: The suffix of the stack.
        lines: All checks.
        detailed: The findings that are printed in detail.

    """
    if console.as_json:
        console.record(
            "doctor", suffix=suffix, checks=[_check_json(line) for line in lines], first=_first_finding_json(detailed)
        )
        return
    rows = [(line.status, line.stage, line.check, line.finding or line.note) for line in lines]
    for line, row in zip(lines, table_lines(rows, ("", "station", "check", ""))[1:], strict=True):
        console.text(console.paint(line.status, _COLORS[line.status]) + row.removeprefix(line.status))
    for line in detailed:
        console.text()
        _print_finding(console, line)


def _print_finding(console: Console, line: CheckLine) -> None:
    """Print the details of one finding; its command is not broken, as people copy it."""
    console.text(f"{line.stage}/{line.check}: {line.problem}")
    console.text(f"  Why it matters: {line.consequence}")
    for text in line.evidence.splitlines():
        console.text(f"  {text}")
    console.data(f"  Type: {line.command}")


def _check_json(line: CheckLine) -> dict[str, str]:
    """Return the result of a check for the JSON output, without empty fields."""
    return {key: value for key, value in json_fields(line).items() if value}


def _first_finding_json(findings: Sequence[CheckLine]) -> dict[str, str] | None:
    """Return the first finding for the JSON output; None if there is none."""
    return _check_json(findings[0]) if findings else None
