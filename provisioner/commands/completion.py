"""`completion`: the script by which a shell completes commands, and the sources of the words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from provisioner.commands.help_page import Command

_PROGRAM, _VARIABLE = "ml-api", "_ML_API_COMPLETE"
# Bash knows `-o nosort` since 4.4: an older one completes too, but in alphabetical order.
_NOSORT = re.compile(r"complete (-o nosort (.*))")

CompletionFunction = Callable[[click.Context, click.Parameter, str], list[Any]]


def complete_from(*names: str) -> CompletionFunction:
    """Return a shell completion for a parameter.

    `names` are functions of `completion_words`; the first of them that has any word is used.
    """

    def complete(context: click.Context, _: click.Parameter, begin: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from provisioner.commands import completion_words

        for name in names:
            if found := completion_words.matching_completions(getattr(completion_words, name), context.params, begin):
                return [CompletionItem(word.text, help=word.help) for word in found]
        return []

    return complete


@click.command(cls=Command, epilog='For example: eval "$(ml-api completion bash)" in ~/.bashrc.')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what the shell needs to complete `ml-api`: commands, options, suffixes, resources, runs."""
    from click.shell_completion import get_completion_class

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"click does not complete {shell}.")
    shell_completion = completion_class(context.find_root().command, {}, _PROGRAM, _VARIABLE)
    # Not `source()`: with a bash older than 4.4 (macOS has 3.2) it complains at each start of a shell.
    source = shell_completion.source_template % shell_completion.source_vars()
    click.echo(_NOSORT.sub(r"complete \1 2>/dev/null || complete \2", source))
    return 0
