"""`timeline`: the course of the last run, from its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioner.commands.output_files import write
from provisioner.commands.run_history import find_record, recorded_run_ids, skip_damaged
from provisioner.engine.runs.timeline import timeline_of
from provisioner.terminal.console import Console
from provisioner.terminal.timeline import chrome_trace as as_trace
from provisioner.terminal.timeline import show_timeline, timeline_summary
from provisioner.terminal.timeline_page import timeline_page as as_page
from provisioner.workspace import Workspace
from state.errors import StateError

# How many of the newest runs are searched for one that had something to do.
_MOST_RECORDS = 50


def print_timeline(
    console: Console, workspace: Workspace, suffix: str | None, run: str, *, page: Path | None, trace: Path | None
) -> int:
    """Show a run of a stack, or of any stack if none is given; or write it to files.

    `run` is a run as `show` takes it; "" means the last one that worked on a resource.
    """
    record = find_record(console, workspace, suffix, run)[1] if run else _last_record(console, workspace, suffix)
    timeline = timeline_of(record)
    if page:
        write(page, as_page(timeline))
    if trace:
        write(trace, json.dumps(as_trace(timeline), separators=(",", ":")))
    if page or trace:
        console.note(timeline_summary(timeline))
    else:
        show_timeline(console, timeline)
    return 0


def _last_record(console: Console, workspace: Workspace, suffix: str | None) -> Mapping[str, Any]:
    """Return the newest record with steps; if the last runs had nothing to do, the newest that can be read."""
    names = recorded_run_ids(workspace, suffix)[:_MOST_RECORDS]
    records = [record for _, record in skip_damaged(console, workspace.history, names)]
    if not records:
        raise StateError("No record of a run can be read.", "They are only records: remove those files.")
    return next((record for record in records if record["nodes"]), records[0])
