"""`rollback`: a service back to a revision that it ran before."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix, open_session
from provisioner.commands.options import (
    fail_fast_option,
    lock_option,
    service_option,
    smoke_option,
    stack_options,
    yes_option,
)


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--to", default="", metavar="REVISION", help="To this one, not to the last good one before.")
@fail_fast_option
@smoke_option
def rollback(service: str, yes: bool, lock_timeout: float, to: str, fail_fast: bool, smoke: bool, **given: Any) -> int:
    """Bring a service back to the revision it ran before, and follow the rollout to its true end."""
    from provisioner.commands import service_rollback as going_back
    from provisioner.commands.confirmation import Confirmation

    console, workspace = console_and_workspace(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    options = going_back.RollbackOptions(Confirmation(yes), service, to, fail_fast, lock_timeout, smoke)
    return going_back.roll_back_service(console, session, options)
