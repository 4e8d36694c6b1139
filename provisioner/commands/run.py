"""`run`: one command in a task by itself."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import lock_option, service_option, stack_options, yes_option
from provisioner.commands.task_options import cpu_option, memory_option, variables_option


@click.command(cls=Command)
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--image", default="", metavar="REF", help="Another image than the service runs, for this task alone.")
@cpu_option
@memory_option
@variables_option
@click.option("--spot/--on-demand", default=False, help="The capacity; Spot may be taken back. [on demand]")
@click.option("--detach", is_flag=True, help="Print the task's id as soon as it was started, and end.")
@click.option("--raw", "is_raw", is_flag=True, help="As the container wrote it, control sequences too.")
@click.option("--again", is_flag=True, help="Start a new task, though an earlier run of it was cut off.")
@click.argument("command", nargs=-1, required=True)
def run(
    service: str,
    yes: bool,
    lock_timeout: float,
    image: str,
    cpu: int | None,
    memory: int | None,
    variables: tuple[tuple[str, str], ...],
    spot: bool,
    detach: bool,
    is_raw: bool,
    again: bool,
    command: tuple[str, ...],
    **given: Any,
) -> int:
    """Run COMMAND once, in a task like the service's own; its exit code is this command's."""
    from provisioner.commands.one_off_task import RunOptions, run_once

    confirmation = Confirmation(yes)
    options = RunOptions(
        confirmation, command, service, spot, lock_timeout, again, detach, dict(variables), cpu, memory, image
    )
    options.check()
    console, session = open_known_session(given)
    console.is_raw = is_raw
    return run_once(console, session, options)
