"""The project's folder: where the settings file is, and the states beside it."""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS_FILE = "ml-api.toml"
_HOME = ".ml-api"


def find_settings_file() -> Path | None:
    """Return the settings file of the working directory or of the nearest folder above it; None if none has one.

    The path is relative if the file is in the working directory.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if os.path.lexists(folder / SETTINGS_FILE):  # a link that leads nowhere is refused, and not passed over
            return Path(SETTINGS_FILE) if folder == here else folder / SETTINGS_FILE
    return None


def find_home() -> Path:
    """Return the folder of the states: that of the working directory, else the one beside the settings file."""
    file = find_settings_file()
    if Path(_HOME).exists() or file is None:
        return Path(_HOME)
    return file.with_name(_HOME)
