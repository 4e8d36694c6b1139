"""`drift`: the command that shows what was changed outside of this tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix, open_session
from provisioner.commands.options import markdown_option, stack_options


@click.command()
@stack_options
@markdown_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is drift.")
def drift(detailed_exitcode: bool, markdown: Path | None, **given: Any) -> int:
    """Show what differs from the ledger in AWS; changes nothing."""
    from provisioner.commands import drift_report as drifting

    console, workspace = console_and_workspace(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return drifting.report_drift(console, session, detailed=detailed_exitcode, markdown=markdown)
