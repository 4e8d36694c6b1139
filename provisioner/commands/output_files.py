"""Files that a person or a job on GitHub Actions asked for."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from provisioner.terminal.console import sanitize
from state.errors import ProvisionerError

_HINT = "Choose another file."


def check_writable(path: Path) -> None:
    """Raise ProvisionerError if a file cannot be written, before AWS is asked for its content."""
    if path.is_dir():
        raise ProvisionerError(f"{path} cannot be written: it is a folder.", _HINT)
    if not path.parent.is_dir():
        raise ProvisionerError(f"{path} cannot be written: there is no folder {path.parent}.", _HINT)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ProvisionerError(f"{path} cannot be written: no right to.", _HINT)


def write(path: Path, text: str) -> None:
    """Write text to a file.

    Raises:
        ProvisionerError: The file cannot be written.

    """
    try:
        path.write_text(sanitize(text), encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{path} cannot be written: {error.strerror or error}.", _HINT) from error


SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
Warn = Callable[[str, str], None]


def append_job_summary(text: Callable[[], str], warn: Warn) -> None:
    """Append text to the summary of the job's step, if this is such a job."""
    _append_to_job_file(SUMMARY, lambda: f"{sanitize(text())}\n", warn)


def set_job_outputs(values: Mapping[str, object], warn: Warn) -> None:
    """Set outputs of the job's step, if this is such a job."""
    _append_to_job_file(OUTPUT, lambda: "".join(_output_line(name, str(value)) for name, value in values.items()), warn)


def _output_line(name: str, value: str) -> str:
    """Return one output in the format of the runner's file."""
    if "\n" not in value:
        return f"{name}={value}\n"
    delimiter = f"end-{uuid.uuid4()}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append_to_job_file(variable: str, text: Callable[[], str], warn: Warn) -> None:
    """Append text to the file that a variable names; report a file that cannot be written, and go on."""
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text())
    except OSError as error:
        warn(f"{variable} cannot be written: {error.strerror or error}.", "The command itself goes on.")
