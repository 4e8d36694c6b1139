"""The walk as a person reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from provisioner.terminal.say import Say, table

_COLORS = {"ok": "green", "wrong": "red", "not checked": "yellow", "none": "dim"}


class Line(NamedTuple):
    """One check as it is told; what is wrong has its reason and the command to type."""

    station: str
    check: str
    state: str
    note: str
    finding: str = ""
    what: str = ""
    why: str = ""
    type: str = ""
    evidence: str = ""


def show_walk(say: Say, suffix: str, lines: Sequence[Line], told: Sequence[Line]) -> None:
    """The checks that were made, a line each; then each of the findings that are told."""
    if say.as_json:
        say.record("doctor", suffix=suffix, checks=[_record(one) for one in lines], first=_first(told))
        return
    rows = [(one.state, one.station, one.check, one.finding or one.note) for one in lines]
    for one, row in zip(lines, table(rows, ("", "station", "check", ""))[1:], strict=True):
        state = one.state
        say.data(say.paint(state, _COLORS[state]) + row[len(state) :])
    for one in told:
        say.data("")
        _tell(say.data, one)


def _tell(write: Callable[[str], None], line: Line) -> None:
    write(f"{line.station}/{line.check}: {line.what}")
    write(f"  Why it matters: {line.why}")
    for text in line.evidence.splitlines():
        write(f"  {text}")
    write(f"  Type: {line.type}")


def _record(line: Line) -> dict[str, str]:
    return {key: value for key, value in line._asdict().items() if value}


def _first(told: Sequence[Line]) -> dict[str, str] | None:
    return _record(told[0]) if told else None
