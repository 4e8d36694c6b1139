"""Output of the outputs of a stack, in one of several formats."""

from __future__ import annotations

import json
from collections.abc import Mapping

from provisioner.terminal.say import Say, table


def show_outputs(say: Say, outputs: Mapping[str, str], form: str) -> None:
    """Print the outputs.

    Args:
        say: The console.
        outputs: The outputs by name.
        form: `json`, `env` (shell variables), `github` (for GitHub Actions), or anything else for a table.

    """
    if say.as_json:
        say.record("outputs", outputs=dict(outputs))
        return
    if form == "json":
        say.data(json.dumps(dict(outputs), indent=2))
        return
    if form in ("env", "github"):
        for name, value in outputs.items():
            say.data(f"{name.upper() if form == 'env' else name}={value}")
        return
    for line in table(outputs.items(), ("output", "value")) if outputs else ():
        say.data(line)
