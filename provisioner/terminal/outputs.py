"""The tables of a stack's outputs and resources; outputs also as JSON, or as lines for a shell."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from provisioner.terminal.console import Console
from provisioner.terminal.fitting import table_lines, terminal_width

# The phase that is left out of the table of resources if all have it.
USUAL_PHASE = "ready"
# The columns that may be shortened: names of resources and of their types are typed back.
_LEAST_WIDTHS = {"id": 10, "live": 12}


def show_outputs(console: Console, outputs: Mapping[str, str], form: str) -> None:
    """Print the outputs.

    Args:
        console: The console.
        outputs: The outputs by name.
        form: `json`, `env` (shell variables), `github` (for GitHub Actions), or anything else for a table.

    """
    if console.as_json:
        console.record("outputs", outputs=dict(outputs))
        return
    if form == "json":
        console.data(json.dumps(dict(outputs), indent=2))
        return
    if form in ("env", "github"):
        for name, value in outputs.items():
            console.data(f"{name.upper() if form == 'env' else name}={value}")
        return
    for line in _table(outputs) if outputs else ():
        console.data(line)


def _table(outputs: Mapping[str, str]) -> list[str]:
    """Return the outputs as lines: a table, or each value below its name where a terminal is too narrow for one.

    Values are never shortened: people copy them.
    """
    lines = table_lines(outputs.items(), ("output", "value"))
    width = terminal_width(sys.stdout)
    if width is None or max(map(len, lines)) <= width:
        return lines
    return [line for name, value in outputs.items() for line in (name, f"  {value}")]


def show_resources(console: Console, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Print the table of resources; its phases are left out if all are ready."""
    usual = all(row["phase"] == USUAL_PHASE for row in rows)
    shown = [column for column in columns if not (usual and column == "phase")]
    least_widths = {column: least for column, least in _LEAST_WIDTHS.items() if column in shown}
    console.table(([row[column] for column in shown] for row in rows), shown, **least_widths)
    console.text()
