"""`timeline`: the course of the last run, from its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioner.commands.output_files import write
from provisioner.commands.run_history import recorded_run_ids, skip_damaged
from provisioner.engine.runs.timeline import timeline_of
from provisioner.terminal.console import Console
from provisioner.terminal.timeline import chrome_trace as as_trace
from provisioner.terminal.timeline import show_timeline, timeline_summary
from provisioner.terminal.timeline_page import timeline_page as as_page
from provisioner.workspace import Workspace
from state.errors import StateError


def print_timeline(
    console: Console, workspace: Workspace, suffix: str | None, *, page: Path | None, trace: Path | None
) -> int:
    """Show the last run of a stack, or of any stack if none is given; or write it to files."""
    timeline = timeline_of(_newest_record(console, workspace, suffix))
    if page:
        write(page, as_page(timeline))
    if trace:
        write(trace, json.dumps(as_trace(timeline), separators=(",", ":")))
    if page or trace:
        console.note(timeline_summary(timeline))
    else:
        show_timeline(console, timeline)
    return 0


def _newest_record(console: Console, workspace: Workspace, suffix: str | None) -> Mapping[str, Any]:
    """Return the newest record that can be read."""
    for _, record in skip_damaged(console, workspace.history, recorded_run_ids(workspace, suffix)):
        return record
    raise StateError("No record of a run can be read.", "They are only records: remove those files.")
