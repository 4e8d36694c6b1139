"""`version`: the version of this program."""

from __future__ import annotations

from typing import Any

import click

from provisioner import __version__
from provisioner.commands.context import console_from
from provisioner.commands.help_page import Command
from provisioner.commands.output_options import output_options


@click.command(cls=Command)
@output_options
def version(**output: Any) -> int:
    """Print the version, as `--version` does."""
    console_from(output).data_or_record(f"ml-api, version {__version__}", "version", version=__version__)
    return 0
