"""Output of drift, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.engine.planning.drift import Drift, DriftField, DriftReport
from provisioner.engine.resource_graph.sensitive import mask, mask_changes
from provisioner.terminal.console import Console
from provisioner.terminal.differences import drift_line, format_value

_SIGNS = {
    "altered": ("~", "yellow"),
    "gone": ("-", "red"),
    "failed": ("!", "red"),
    "unknown": ("?", "yellow"),
    "extra": ("+", "yellow"),
    "held": ("=", "dim"),
}
_LABELS = {
    "altered": "changed",
    "gone": "gone",
    "failed": "failed",
    "unknown": "in a state unknown to this version",
    "extra": "added by hand",
    "held": "managed by others",
}


def show_drift(console: Console, report: DriftReport) -> None:
    """Print each difference, what `apply` would do about it, and a summary."""
    if console.as_json:
        console.record("drift", **_report_json(report))
        return
    for drift in report.drifts:
        if drift.category != "held" or drift.unmanaged:
            _show_drifted_resource(console, drift)
    for (remedy, fields), drifts in _group_external_drifts(report).items():
        addresses = ", ".join(map(_describe_resource, drifts))
        console.text(f"{console.paint(*_SIGNS['held']):>3} {addresses}  ({remedy})")
        for line in fields:
            console.item(f"      {line}")
    console.text(drift_sentence(report))
    for line in drift_notes(report):
        console.note(line)


def _show_drifted_resource(console: Console, drift: Drift) -> None:
    """Print the drift of one resource with the fields that differ."""
    sign, color = _SIGNS[drift.category]
    suffix = " is gone" if drift.category == "gone" else f": {drift.unmanaged}" if drift.unmanaged else ""
    console.item(f"{console.paint(sign, color):>3} {_describe_resource(drift)}{suffix}  ({drift.remedy})")
    for line in _field_lines(drift):
        console.item(f"      {line}")


def _group_external_drifts(report: DriftReport) -> dict[tuple[str, tuple[str, ...]], list[Drift]]:
    """Return the drifts of fields that others manage, by remedy and lines: each group is printed once."""
    groups: dict[tuple[str, tuple[str, ...]], list[Drift]] = {}
    for drift in report.drifts:
        if drift.category == "held" and not drift.unmanaged:
            groups.setdefault((drift.remedy, tuple(_field_lines(drift))), []).append(drift)
    return groups


def _describe_resource(drift: Drift) -> str:
    """Return the address, type and name of the resource of a drift."""
    return f"{drift.step}/{drift.logical_id}: {f'{drift.type_name} {drift.aws_name}'.rstrip()}"


def drift_notes(report: DriftReport) -> list[str]:
    """Return sentences about resources that are no drift.

    These are undeclared resources, resources that AWS is still working on, and resources that are not
    recorded as ready yet.
    """
    undeclared, unfinished = ", ".join(report.undeclared), ", ".join(report.unfinished)
    progress = sorted(report.in_progress.items())
    busy = ", ".join(f"{name} ({aws_status})" for name, aws_status in progress if name not in report.under_way)
    notes = [f"No longer declared: the next apply removes {undeclared}."] if undeclared else []
    notes += [f"AWS is still at work on {busy}."] if busy else []
    notes += [f"{name}: {operation}." for name, operation in sorted(report.under_way.items())]
    notes += [f"Not known: {reason}." for reason in report.unlisted]
    ahead = f"Not compared, because no run has recorded it as ready yet: {unfinished}. `apply` goes on with it."
    return notes + ([ahead] if unfinished else [])


def drift_sentence(report: DriftReport) -> str:
    """Return the drift of the stack in one sentence."""
    counts = [f"{count} {label}" for category, label in _LABELS.items() if (count := report.count(category))]
    if not report.is_drifting:
        return "No drift." + (f" {counts[0].capitalize()}." if counts else "")
    return f"Drift: {', '.join(counts)}."


def _field_lines(drift: Drift) -> Iterator[str]:
    """Yield a line for each field that differs, with the value in the settings if that has changed since."""
    for field in drift.fields:
        desired = (
            f"; the settings now say {format_value(mask_changes(field.desired, field.recorded))}"
            if field.has_moved
            else ""
        )
        yield drift_line(field) + ("" if field.is_status else desired)


def _report_json(report: DriftReport) -> dict[str, Any]:
    """Return the drift of the stack for the JSON output; docs_site/json_lines.py explains each field."""
    return {
        "suffix": report.suffix,
        "drift": [_drift_json(drift) for drift in report.drifts],
        "unfinished": report.unfinished,
        "undeclared": report.undeclared,
        "in_progress": sorted(report.in_progress),
        "under_way": report.under_way,
        "unlisted": report.unlisted,
        "summary": {category: report.count(category) for category in _LABELS},
    }


def _drift_json(drift: Drift) -> dict[str, Any]:
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
        "fields": [_field_json(field) for field in drift.fields],
    }


def _field_json(field: DriftField) -> dict[str, Any]:
    """Return one field for the JSON output, with sensitive values masked."""
    return {
        "path": field.path,
        "ledger": mask(field.recorded),
        "aws": mask_changes(field.actual, field.recorded),
        "wanted": mask_changes(field.desired, field.recorded),
        "owner": field.owner,
    }
