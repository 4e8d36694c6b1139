"""Output of the checks of `doctor`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from provisioner.terminal.console import Console, table

_COLORS = {"ok": "green", "wrong": "red", "not checked": "yellow", "none": "dim"}


class Line(NamedTuple):
    """The result of one check; the fields from `finding` on describe the problem, and are "" without one.

    `station` is the part of the stack that was checked, `what` the problem, `why` the reason why it matters,
    `type` the command to type.
    """

    station: str
    check: str
    state: str
    note: str
    finding: str = ""
    what: str = ""
    why: str = ""
    type: str = ""
    evidence: str = ""


def show_checks(console: Console, suffix: str, lines: Sequence[Line], told: Sequence[Line]) -> None:
    """Print a line for each check, then the details of some findings.

    Args:
        console: The console.
        suffix: The suffix of the stack.
        lines: All checks.
        told: The findings that are printed in detail.

    """
    if console.as_json:
        console.record("doctor", suffix=suffix, checks=[_record(one) for one in lines], first=_first(told))
        return
    rows = [(one.state, one.station, one.check, one.finding or one.note) for one in lines]
    for one, row in zip(lines, table(rows, ("", "station", "check", ""))[1:], strict=True):
        state = one.state
        console.data(console.paint(state, _COLORS[state]) + row[len(state) :])
    for one in told:
        console.data("")
        _tell(console.data, one)


def _tell(write: Callable[[str], None], line: Line) -> None:
    """Print the details of one finding."""
    write(f"{line.station}/{line.check}: {line.what}")
    write(f"  Why it matters: {line.why}")
    for text in line.evidence.splitlines():
        write(f"  {text}")
    write(f"  Type: {line.type}")


def _record(line: Line) -> dict[str, str]:
    """Return the result of a check for the JSON output, without empty fields."""
    return {key: value for key, value in line._asdict().items() if value}


def _first(told: Sequence[Line]) -> dict[str, str] | None:
    """Return the first finding for the JSON output; None if there is none."""
    return _record(told[0]) if told else None
