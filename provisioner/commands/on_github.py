"""What a job on GitHub Actions is told: its summary in Markdown, and values for its next steps.

The runner names a file for each (GitHub docs, "Workflow commands"); elsewhere there are none.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from provisioner.terminal.clean import clean

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
Tell = Callable[[str, str], None]


def summarise(text: Callable[[], str], tell: Tell) -> None:
    """Append to the summary of the step, where there is one."""
    _append(SUMMARY, lambda: f"{clean(text())}\n", tell)


def give(values: Mapping[str, object], tell: Tell) -> None:
    """Set outputs of the step, where it has any."""
    _append(OUTPUT, lambda: "".join(_set(name, str(value)) for name, value in values.items()), tell)


def _set(name: str, value: str) -> str:
    if "\n" not in value:
        return f"{name}={value}\n"
    end = f"end-{uuid.uuid4()}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append(variable: str, text: Callable[[], str], tell: Tell) -> None:
    """A file that cannot be written stops nothing: it is told."""
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text())
    except OSError as error:
        tell(f"{variable} cannot be written: {error.strerror or error}.", "The command itself goes on.")
