"""`report`: one page about one stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix, open_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options

_FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@stack_options
@click.option("--html", "page", type=_FILE, required=True, help="The file to write.")
def report(page: Path, **given: Any) -> int:
    """Write one HTML page to send on: health, drift, picture, outputs, security, cost, last runs."""
    from provisioner.commands.html_report import write_report

    console, workspace = console_and_workspace(given)
    suffix = known_suffix(workspace, given["suffix"])
    return write_report(console, workspace, suffix, page, lambda: open_session(given, workspace, suffix))
