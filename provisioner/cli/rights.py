"""The commands about who may do what."""

from __future__ import annotations

from typing import Any

import click

from provisioner.terminal.options import stack_options


@click.command()
@stack_options
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["plan", "apply", "status", "teardown", "all"]),
    default="all",
    show_default=True,
    help="The command that is to be allowed.",
)
def policy(purpose: str, **given: Any) -> int:
    """Print the IAM policy that an operator of this stack needs; calls nothing."""
    from provisioner.cli.opening import begin, given_settings, missing_suffix
    from provisioner.commands import permitting

    say, workspace = begin(given)
    suffix = given["suffix"] or missing_suffix()
    whose = permitting.Whose(
        workspace, suffix, given_settings(given), given["region"], given["expect_account"]
    )
    return permitting.show(say, whose, purpose)
