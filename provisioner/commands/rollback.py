"""`rollback`: a service back to a revision that it ran before."""

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
@click.option("--to", default="", metavar="REVISION", help="To this one, not to the last good one before.")
@fail_fast_option
@smoke_option
def rollback(service: str, yes: bool, lock_timeout: float, to: str, fail_fast: bool, smoke: bool, **given: Any) -> int:
    """Bring a service back to the revision it ran before, and follow the rollout to its true end."""
    from provisioner.commands.service_rollback import RollbackOptions, roll_back_service

    console, session = open_known_session(given)
    options = RollbackOptions(Confirmation(yes), service, to, fail_fast, lock_timeout, smoke)
    return roll_back_service(console, session, options)
