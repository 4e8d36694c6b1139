"""The tables of a stack's outputs and resources; outputs also as JSON, or as lines for a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from provisioner.terminal.console import Console
from provisioner.terminal.tables import Narrowing

# The phase that is left out of the table of resources if all have it.
USUAL_PHASE = "ready"
# Names of resources and of their types are typed back, and outputs are copied: they stay whole.
_NARROW_RESOURCES = Narrowing(shortened={"id": 12}, continued={"live": 10})
_NARROW_OUTPUTS = Narrowing(continued={"value": 20})


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
    if outputs:
        console.table(outputs.items(), ("output", "value"), _NARROW_OUTPUTS)


def show_resources(console: Console, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Print the table of resources; its phases are left out if all are ready."""
    usual = all(row["phase"] == USUAL_PHASE for row in rows)
    shown = [column for column in columns if not (usual and column == "phase")]
    console.table(([row[column] for column in shown] for row in rows), shown, _NARROW_RESOURCES)
    console.text()
