"""Output of drift, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.engine.planning.drift import Drift, DriftField, DriftReport
from provisioner.engine.resource_graph.sensitive import mask, mask_changes
from provisioner.terminal.console import Console
from provisioner.terminal.differences import drift_line, told

_SIGNS = {
    "altered": ("~", "yellow"),
    "gone": ("-", "red"),
    "failed": ("!", "red"),
    "unknown": ("?", "yellow"),
    "extra": ("+", "yellow"),
    "held": ("=", "dim"),
}
_WORDS = {
    "altered": "changed",
    "gone": "gone",
    "failed": "failed",
    "unknown": "in a state unknown to this version",
    "extra": "added by hand",
    "held": "left to other owners",
}


def show_drift(console: Console, report: DriftReport) -> None:
    """Print each difference, what `apply` would do about it, and a summary."""
    if console.as_json:
        summary = {what: report.count(what) for what in _WORDS}
        drifts = [_record(one) for one in report.drifts]
        left: dict[str, Any] = {"unfinished": report.unfinished, "undeclared": report.undeclared}
        left |= {"in_progress": sorted(report.in_progress), "under_way": report.under_way}
        left["unlisted"] = report.unlisted
        console.record("drift", suffix=report.suffix, drift=drifts, **left, summary=summary)
        return
    for one in report.drifts:
        if one.category != "held" or one.unmanaged:
            _show_one(console, one)
    for (remedy, fields), alike in _held_alike(report).items():
        places = ", ".join(map(_place, alike))
        console.data(f"{console.paint(*_SIGNS['held']):>3} {places}  ({remedy})")
        for line in fields:
            console.data(f"      {line}")
    console.data(drift_sentence(report))
    for line in other_lines(report):
        console.note(line)


def _show_one(console: Console, drift: Drift) -> None:
    """Print the drift of one resource with the fields that differ."""
    sign, color = _SIGNS[drift.category]
    tail = " is gone" if drift.category == "gone" else f": {drift.unmanaged}" if drift.unmanaged else ""
    console.data(f"{console.paint(sign, color):>3} {_place(drift)}{tail}  ({drift.remedy})")
    for line in _lines(drift):
        console.data(f"      {line}")


def _held_alike(report: DriftReport) -> dict[tuple[str, tuple[str, ...]], list[Drift]]:
    """Return the drifts that belong to other owners, grouped by remedy and lines to be printed once."""
    found: dict[tuple[str, tuple[str, ...]], list[Drift]] = {}
    for one in report.drifts:
        if one.category == "held" and not one.unmanaged:
            found.setdefault((one.remedy, tuple(_lines(one))), []).append(one)
    return found


def _place(drift: Drift) -> str:
    """Return the address, type and name of the resource of a drift."""
    return f"{drift.step}/{drift.logical_id}: {f'{drift.type_name} {drift.aws_name}'.rstrip()}"


def other_lines(report: DriftReport) -> list[str]:
    """Return sentences about resources that are no drift.

    These are undeclared resources, resources that AWS is still working on, and resources that are not
    recorded as ready yet.
    """
    named, unfinished = ", ".join(report.undeclared), ", ".join(report.unfinished)
    progress = sorted(report.in_progress.items())
    busy = ", ".join(f"{name} ({word})" for name, word in progress if name not in report.under_way)
    told = [f"No longer declared: the next apply removes {named}."] if named else []
    told += [f"AWS is still at work on {busy}."] if busy else []
    told += [f"{name}: {words}." for name, words in sorted(report.under_way.items())]
    told += [f"Not known: {one}." for one in report.unlisted]
    ahead = f"Not compared, as no run has confirmed it yet: {unfinished}. `apply` goes on with it."
    return told + ([ahead] if unfinished else [])


def drift_sentence(report: DriftReport) -> str:
    """Return the drift of the stack in one sentence."""
    told = [f"{count} {words}" for what, words in _WORDS.items() if (count := report.count(what))]
    if not report.is_drifting:
        return "No drift." + (f" {told[0].capitalize()}." if told else "")
    return f"Drift: {', '.join(told)}."


def _lines(drift: Drift) -> Iterator[str]:
    """Yield a line for each field that differs, with the value in the settings if that has changed since."""
    for one in drift.fields:
        also = f"; the settings now want {told(mask_changes(one.desired, one.recorded))}" if one.has_moved else ""
        yield drift_line(one) + ("" if one.is_status else also)


def _record(drift: Drift) -> dict[str, Any]:
    """Return the drift of one resource for the JSON output."""
    return {
        "what": drift.category,
        "node": drift.logical_id,
        "piece": drift.step,
        "kind": drift.type_name,
        "name": drift.aws_name,
        "id": drift.id,
        "remedy": drift.remedy,
        "extra": drift.unmanaged,
        "fields": [_field(one) for one in drift.fields],
    }


def _field(one: DriftField) -> dict[str, Any]:
    """Return one field for the JSON output, with sensitive values masked."""
    return {
        "path": one.path,
        "ledger": mask(one.recorded),
        "aws": mask_changes(one.actual, one.recorded),
        "wanted": mask_changes(one.desired, one.recorded),
        "owner": one.owner,
    }
