"""`completion`: what a shell needs to complete our commands, and where the words come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_PROGRAM, _VARIABLE = "ml-api", "_ML_API_COMPLETE"

Completed = Callable[[click.Context, click.Parameter, str], list[Any]]


def by(*names: str) -> Completed:
    """What completes a parameter: the first of these functions of `completing` that knows any word."""

    def complete(context: click.Context, _: click.Parameter, begin: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from provisioner.commands import completing

        for name in names:
            if found := completing.matching(getattr(completing, name), context.params, begin):
                return [CompletionItem(word.text, help=word.help) for word in found]
        return []

    return complete


@click.command(epilog='For example: eval "$(ml-api completion bash)" in ~/.bashrc.')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what the shell needs to complete `ml-api`: commands, options, suffixes, resources, runs."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click does not complete {shell}.")
    click.echo(made(context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
    return 0
