"""`restart`: new tasks of the revision that runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import open_known_session
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
    from provisioner.commands.service_restart import RestartOptions, restart_service

    console, session = open_known_session(given)
    options = RestartOptions(Confirmation(yes), service, fail_fast, lock_timeout, smoke)
    return restart_service(console, session, options)
