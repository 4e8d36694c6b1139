"""The table of a stack's outputs: on a terminal, as JSON, or as lines for a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping

from provisioner.terminal.console import Console, table_lines


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
    for line in table_lines(outputs.items(), ("output", "value")) if outputs else ():
        console.data(line)
