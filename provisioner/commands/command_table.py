"""The table of all commands, and the group that imports a command's module only when it is needed.

`--help`, `--version` and the completion of a command's name are answered from the table alone.
"""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from provisioner.commands.help_page import Group
from provisioner.commands.typed_words import ALIASES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# For each heading of `--help`: each command, and the first sentence of its own help.
SECTIONS: dict[str, dict[str, str]] = {
    "Bring up and take down": {
        "apply": "Create or repair the stack; prints the outputs last.",
        "plan": "Show what apply would do; changes nothing.",
        "drift": "Show what differs from the state in AWS; changes nothing.",
        "teardown": "Remove the stack, in reverse order.",
        "verify-gone": "Look again whether anything of a stack is left; needs no state file.",
    },
    "Ship": {
        "deploy": "Ship an image to a service, and follow the rollout to its true end.",
        "rollback": "Bring a service back to the revision it ran before, and follow the rollout to its true end.",
        "releases": "List what a service ran and could run: revision, image, when, by whom, result.",
        "restart": "Replace the tasks of a service by new ones of the same revision, without a gap.",
        "scale": "Set between how many tasks a service is scaled, until `apply --take counts`.",
        "run": "Run COMMAND once, in a task like the service's own; its exit code is this command's.",
    },
    "Look": {
        "status": "Show how the stack is now and what is amiss, then the outputs; 0 only when all is healthy.",
        "doctor": "Walk from CloudFront to the database: what is wrong, and what to type; changes nothing.",
        "logs": "Show what the tasks have written, and with --follow what they write.",
        "exec": "Run COMMAND (a shell, where none is given) in a task that runs; write -- before it.",
        "db": "Reach the stack's database.",
        "open": "Show the stack's address in a browser; calls nothing.",
        "outputs": "Print the outputs as the last apply left them, or one of them.",
        "report": "Write one HTML page to send on: health, drift, picture, outputs, security, cost, last runs.",
        "graph": "Print the declared graph as a drawing; calls nothing.",
    },
    "Remember": {
        "list": "List the stacks that are known here.",
        "history": "List the newest runs of a stack, or of all: who, what was typed, plan, duration, result.",
        "show": "Show one RUN, by its name, `last` or `last~1`: plan, resources with their stages, calls, result.",
        "diff": "Show what differs between two runs: what was typed, settings, plan, durations, calls, result.",
        "timeline": "Show a RUN, else the last one with steps: calls, waits, and the chain that set its length.",
        "state": "Keep the state: init, pull, push, history, restore, unlock.",
    },
    "Rights and keys": {
        "policy": "Print the IAM policy that an operator of this stack needs; calls nothing.",
        "bootstrap": "Print the role that a pipeline assumes by OIDC; with --yes, make it.",
        "rotate-origin-secret": "Change the key between CloudFront and the load balancer; no request fails.",
    },
    "This tool": {
        "config": "Show the settings: what is set and by whom, what can be set, and a file to begin with.",
        "local": "Run the local AWS: moto's server with AWS's behaviour, on loopback.",
        "version": "Print the version, as `--version` does.",
        "help": "Print the help of a command, such as `help db tunnel`; without one, the list of all.",
        "completion": "Print what the shell needs to complete `ml-api`: commands, options, suffixes, resources, runs.",
    },
}
# In the order of the list: by heading, then by the rows below it.
HELP = {name: sentence for commands in SECTIONS.values() for name, sentence in commands.items()}
# The end of the first clause of a sentence, which is enough for the list of commands.
_CLAUSE_END = re.compile(r"[;.](?:\s|$)")


class LazyCommands(UserDict[str, click.Command]):
    """All commands by name; the module of a command is imported when the command is looked up."""

    def __missing__(self, name: str) -> click.Command:
        """Import the command; it is in the module of its name, with `_` for `-`."""
        if name not in HELP:
            raise KeyError(name)
        module = import_module(f"provisioner.commands.{name.replace('-', '_')}")
        self[name] = next(
            candidate
            for candidate in vars(module).values()
            if isinstance(candidate, click.Command) and candidate.name == name
        )
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in HELP

    def __iter__(self) -> Iterator[str]:
        return iter(HELP)

    def __len__(self) -> int:
        return len(HELP)


class CommandGroup(Group):
    """The group of all commands, which lists and completes their names without importing one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, commands=LazyCommands())

    @property
    def known_words(self) -> tuple[str, ...]:
        """The names of all commands, and their aliases."""
        return (*HELP, *ALIASES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name or alias; None if there is none."""
        return super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, each with the first clause of its help."""
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, first_clause(sentence)) for name, sentence in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands whose names begin with `incomplete`, then the options that do."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=click.Command(name, help=HELP[name]).get_short_help_str())
            for name in sorted(HELP)
            if name.startswith(incomplete)
        ]
        commands += [
            CompletionItem(alias, help=f"As {name}.")
            for alias, name in ALIASES.items()
            if incomplete and alias.startswith(incomplete) and name not in {each.value for each in commands}
        ]
        # `click.Group`'s own method is left out: it would import every command.
        return [*commands, *super(click.Group, self).shell_complete(ctx, incomplete)]


def first_clause(sentence: str) -> str:
    """Return a sentence up to the end of its first clause, with a full stop."""
    return _CLAUSE_END.split(sentence, maxsplit=1)[0] + "."
