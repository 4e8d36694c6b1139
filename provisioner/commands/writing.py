"""A file that a person asked for."""

from __future__ import annotations

import os
from pathlib import Path

from provisioner.errors import ProvisionerError
from provisioner.terminal.clean import clean

_HINT = "Choose another file."


def check_writable(path: Path) -> None:
    """ProvisionerError where a file cannot be written, before anything is asked of AWS for it."""
    if path.is_dir():
        raise ProvisionerError(f"{path} cannot be written: it is a folder.", _HINT)
    if not path.parent.is_dir():
        raise ProvisionerError(f"{path} cannot be written: there is no folder {path.parent}.", _HINT)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ProvisionerError(f"{path} cannot be written: no right to.", _HINT)


def write(path: Path, text: str) -> None:
    """Write it; what went wrong in words."""
    try:
        path.write_text(clean(text), encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{path} cannot be written: {error.strerror or error}.", _HINT) from error
