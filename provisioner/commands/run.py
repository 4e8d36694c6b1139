"""`run`: one command in a task by itself."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import open_known_session
from provisioner.commands.options import lock_option, service_option, stack_options, yes_option


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--spot/--on-demand", default=False, help="The capacity; Spot may be taken back. [on demand]")
@click.option("--raw", "is_raw", is_flag=True, help="As the container wrote it, control sequences too.")
@click.option("--again", is_flag=True, help="Start a new task, though an earlier run of it was cut off.")
@click.argument("command", nargs=-1, required=True)
def run(
    service: str,
    yes: bool,
    lock_timeout: float,
    spot: bool,
    is_raw: bool,
    again: bool,
    command: tuple[str, ...],
    **given: Any,
) -> int:
    """Run COMMAND once, as a task of the service runs; its exit code is this command's."""
    from provisioner.commands.one_off_task import RunOptions, run_once

    console, session = open_known_session(given)
    console.is_raw = is_raw
    options = RunOptions(Confirmation(yes), command, service, spot, lock_timeout, again)
    return run_once(console, session, options)
