"""`state`: the commands about the state itself, and where a team keeps it."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.context import console_and_workspace
from provisioner.commands.help_page import Group
from provisioner.commands.options import lock_option, shared_options, state_options, yes_option

force_option = click.option(
    "--force", is_flag=True, help="Replace the state also by another lineage, or by an older serial."
)


@click.group(cls=Group)
def state() -> None:
    """Keep the state: init, pull, push, history, restore, unlock."""


@state.command()
@shared_options
@yes_option
def init(yes: bool, region: str | None, expect_account: str | None, **given: Any) -> int:
    """Make the bucket of --state s3://BUCKET/PREFIX: private, versioned, encrypted, TLS only."""
    from provisioner.commands.state_bucket import init_bucket

    console, workspace = console_and_workspace(given)
    return init_bucket(console, workspace, region, expect_account, Confirmation(yes))


@state.command()
@state_options
def pull(**given: Any) -> int:
    """Print the state file as it is."""
    from provisioner.commands.state_file import print_state

    console, workspace = console_and_workspace(given)
    return print_state(console, workspace, workspace.choose_suffix(given["suffix"]))


@state.command()
@state_options
@lock_option
@force_option
@click.argument("file", type=click.File("rb"))
def push(file: BinaryIO, lock_timeout: float, force: bool, **given: Any) -> int:
    """Replace the state by the one in FILE (- for stdin), if that is a later version of it."""
    from provisioner.commands.state_file import push_state

    console, workspace = console_and_workspace(given)
    suffix = workspace.choose_suffix(given["suffix"])
    return push_state(console, workspace, suffix, file.read(), lock_timeout, force=force)


@state.command()
@state_options
def history(**given: Any) -> int:
    """List the versions of the state before the last runs."""
    from provisioner.commands.state_file import print_versions

    console, workspace = console_and_workspace(given)
    return print_versions(console, workspace, workspace.choose_suffix(given["suffix"]))


@state.command()
@state_options
@lock_option
@yes_option
@force_option
@click.argument("version")
def restore(version: str, lock_timeout: float, yes: bool, force: bool, **given: Any) -> int:
    """Replace the state by a VERSION of its history."""
    from provisioner.commands.state_file import restore_version

    console, workspace = console_and_workspace(given)
    suffix = workspace.choose_suffix(given["suffix"])
    return restore_version(console, workspace, suffix, version, Confirmation(yes), lock_timeout, force=force)


@state.command()
@state_options
@yes_option
def unlock(yes: bool, **given: Any) -> int:
    """Say who holds the stack's lock, ask, and free it."""
    from provisioner.commands.state_file import free_lock

    console, workspace = console_and_workspace(given)
    return free_lock(console, workspace, workspace.choose_suffix(given["suffix"]), Confirmation(yes))
