"""`verify-gone`: look again whether anything of a stack is left."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, open_session, raise_missing_suffix
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options


@click.command("verify-gone", cls=Command)
@stack_options
def verify_gone(**given: Any) -> int:
    """Look again whether anything of a stack is left; needs no state file."""
    from provisioner.commands.stack_teardown import last_region, verify_stack_is_gone

    console, workspace = console_and_workspace(given)
    suffix = given["suffix"] or raise_missing_suffix()
    last_known_region = None if given["region"] else last_region(workspace, suffix)
    session = open_session({**given, "region": given["region"] or last_known_region}, workspace, suffix)
    if last_known_region:
        session.region_source = "the report of its last teardown"
    return verify_stack_is_gone(console, session)
