"""`scale`: between how many tasks a service is scaled."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix, open_session
from provisioner.commands.options import lock_option, service_option, stack_options, yes_option


@click.command()
@stack_options
@service_option
@yes_option
@lock_option
@click.option("--min", "minimum", type=click.IntRange(0, 5000), help="Tasks at least.")
@click.option("--max", "maximum", type=click.IntRange(0, 5000), help="Tasks at most.")
def scale(service: str, yes: bool, lock_timeout: float, minimum: int | None, maximum: int | None, **given: Any) -> int:
    """Set between how many tasks a service is scaled, until `apply --take counts`."""
    from provisioner.commands import service_scaling as scaling
    from provisioner.commands.confirmation import Confirmation

    console, workspace = console_and_workspace(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return scaling.scale_service(
        console, session, scaling.ScaleOptions(Confirmation(yes), minimum, maximum, service, lock_timeout)
    )
