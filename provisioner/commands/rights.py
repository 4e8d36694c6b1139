"""`policy` and `bootstrap`: the commands about permissions."""

from __future__ import annotations

import click

from provisioner.permissions.names import NAMES

purpose_option = click.option(
    "--for",
    "purpose",
    type=click.Choice([*NAMES, "all"]),
    default="all",
    show_default=True,
    help="The command that is to be allowed.",
)
