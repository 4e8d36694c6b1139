"""`rotate-origin-secret`: the command that changes a secret of the stack's own."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import keep_settings_option, lock_option, stack_options, yes_option


@click.command("rotate-origin-secret", cls=Command)
@stack_options
@keep_settings_option
@yes_option
@lock_option
def rotate_origin_secret(yes: bool, lock_timeout: float, **given: Any) -> int:
    """Change the key between CloudFront and the load balancer; no request fails."""
    from provisioner.commands.origin_secret_rotation import rotate_secret

    console, session = open_known_session(given)
    return rotate_secret(console, session, Confirmation(yes), lock_timeout)
