"""`open`: the stack's address, in a browser."""

from __future__ import annotations

import webbrowser
from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options
from provisioner.terminal.console import Console
from provisioner.workspace import Workspace, unfinished_stack_error
from state.errors import ProvisionerError

# The first of these that the stack has is opened.
_OUTPUTS = ("domain_url", "cloudfront_distribution_url")


@click.command("open", cls=Command)
@stack_options
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing.")
def open_(only_print: bool, **given: Any) -> int:
    """Show the stack's address in a browser; calls nothing."""
    console, workspace = console_and_workspace(given)
    return open_address(console, workspace, known_suffix(workspace, given["suffix"]), print_only=only_print)


def open_address(console: Console, workspace: Workspace, suffix: str, *, print_only: bool) -> int:
    """Print the address that the last apply left, and open it in a browser unless `print_only`."""
    state = workspace.load_state(suffix)
    outputs = state.outputs if state else {}
    url = next((outputs[name] for name in _OUTPUTS if name in outputs), "")
    if not url:
        raise unfinished_stack_error(workspace, suffix, state, "address")
    if console.as_json:
        console.record("open", suffix=suffix, url=url)
    else:
        console.data(url)
    if not print_only and not webbrowser.open(url):
        raise ProvisionerError("There is no browser here.", "Open the address above elsewhere.")
    return 0
