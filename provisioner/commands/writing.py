"""Writes a file that a person asked for."""

from __future__ import annotations

import os
from pathlib import Path

from provisioner.terminal.clean import clean
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
        path.write_text(clean(text), encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{path} cannot be written: {error.strerror or error}.", _HINT) from error
