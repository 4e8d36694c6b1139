"""`help`: the help of a command, as `COMMAND --help` prints it."""

from __future__ import annotations

import click

from provisioner.commands.help_page import Command
from provisioner.errors import UsageError


@click.command("help", cls=Command)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> int:
    """Print the help of a command, such as `help db tunnel`; without one, the list of all."""
    found = context.parent or context
    for word in words:
        group = found.command
        command = group.get_command(found, word) if isinstance(group, click.Group) else None
        if command is None:
            raise UsageError(f"There is no command `{' '.join(words)}`.", "`help` lists the commands.")
        found = click.Context(command, info_name=word, parent=found)
    click.echo(found.get_help())
    return 0
