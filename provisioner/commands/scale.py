"""`scale`: between how many tasks a service is scaled."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import lock_option, service_option, stack_options, yes_option


@click.command(cls=Command)
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--min", "minimum", type=click.IntRange(0, 5000), help="Tasks at least.")
@click.option("--max", "maximum", type=click.IntRange(0, 5000), help="Tasks at most.")
def scale(service: str, yes: bool, lock_timeout: float, minimum: int | None, maximum: int | None, **given: Any) -> int:
    """Set between how many tasks a service is scaled, until `apply --take counts`."""
    from provisioner.commands.service_scaling import ScaleOptions, scale_service

    console, session = open_known_session(given)
    options = ScaleOptions(Confirmation(yes), minimum, maximum, service, lock_timeout)
    return scale_service(console, session, options)
