"""`restart`: new tasks of the revision that runs."""

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
@fail_fast_option
@smoke_option
def restart(service: str, yes: bool, lock_timeout: float, fail_fast: bool, smoke: bool, **given: Any) -> int:
    """Replace the tasks of a service by new ones of the same revision, without a gap."""
    from provisioner.commands import service_restart as restarting
    from provisioner.commands.confirmation import Confirmation

    console, workspace = console_and_workspace(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return restarting.restart_service(
        console, session, restarting.RestartOptions(Confirmation(yes), service, fail_fast, lock_timeout, smoke)
    )
