"""`doctor`: the command that finds the first fault of a stack."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, open_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options


@click.command(cls=Command)
@stack_options
@click.option("--all", "every", is_flag=True, help="Go on after the first thing that is wrong.")
def doctor(every: bool, **given: Any) -> int:
    """Walk from CloudFront to the database: what is wrong, and what to type; changes nothing."""
    from provisioner.commands.doctor_report import examine_stack

    console, workspace = console_and_workspace(given)
    suffix = workspace.choose_suffix(given["suffix"])
    workspace.check_emulator(suffix)
    session = open_session(given, workspace, suffix)
    return examine_stack(console, session, every=every)
