"""`drift`: the command that shows what was changed outside of this tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import keep_settings_option, markdown_option, stack_options


@click.command(cls=Command)
@stack_options
@keep_settings_option
@markdown_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is drift.")
def drift(detailed_exitcode: bool, markdown: Path | None, **given: Any) -> int:
    """Show what differs from the state in AWS; changes nothing."""
    from provisioner.commands.drift_report import report_drift

    console, session = open_known_session(given)
    return report_drift(console, session, detailed=detailed_exitcode, markdown=markdown)
