"""The optional packages of this tool (its extras), and the command that installs them where it runs."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "ml-api-provisioner"
LOCAL, LOGIN = "local", "login"


def is_installed(*modules: str) -> bool:
    """Return whether all these top-level modules can be imported; none of them is."""
    return all(find_spec(module) for module in modules)


def install_command(extra: str) -> str:
    """Return the command that adds an extra to the environment in which this process runs.

    pip, pipx and uv keep the installed version of this tool, so the command needs no index or file to take it from.
    """
    if (Path(sys.prefix) / "pipx_metadata.json").exists():
        installer = ["pipx", "inject", DISTRIBUTION]
    elif is_installed("pip"):
        installer = [sys.executable, "-m", "pip", "install"]
    else:  # uv makes environments without pip
        installer = ["uv", "pip", "install", "--python", sys.executable]
    checkout = Path(__file__).parents[1]
    target = ["-e", f"{checkout}[{extra}]"] if (checkout / "setup.cfg").exists() else [f"{DISTRIBUTION}[{extra}]"]
    return shlex.join(installer + target)
