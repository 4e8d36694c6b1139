"""`policy`: the IAM policy that an operator of this stack needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_and_workspace, raise_missing_suffix, settings_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import purpose_option, stack_options


@click.command(cls=Command)
@stack_options
@purpose_option
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each policy into a file of its own in DIR, instead of one JSON array to stdout.",
)
def policy(purpose: str, folder: Path | None, **given: Any) -> int:
    """Print the IAM policy that an operator of this stack needs; calls nothing."""
    from provisioner.commands.operator_policy import PolicyScope, print_policies

    console, workspace = console_and_workspace(given)
    suffix = given["suffix"] or raise_missing_suffix()
    scope = PolicyScope(workspace, suffix, settings_from(given), given["region"], given["expect_account"])
    return print_policies(console, scope, purpose, folder)
