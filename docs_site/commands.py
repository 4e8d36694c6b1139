"""The reference of the command line, read from the click commands: one page for each heading of `--help`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from docs_site.markdown import code, escaped, table
from provisioner.commands.command_table import SECTIONS
from provisioner.commands.help_page import EXAMPLES
from provisioner.commands.main import cli
from provisioner.commands.typed_words import ALIASES

# The command as it is installed; from a checkout it is `python cli.py`.
PROGRAM = "ml-api"
# Options that every command that works on a stack has: told once, on the page about all commands.
_COMMON_COMMAND = "plan"
_COMMON = ("status", "outputs", "teardown")


def page_name(heading: str) -> str:
    """Return the file name of a heading's page, without its ending."""
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


def command_pages() -> Iterator[tuple[str, str, str]]:
    """Yield file name, title and Markdown of the page about all commands, then of one page for each heading."""
    yield "index", "All commands", _index()
    for heading, names in SECTIONS.items():
        sections = [_command(name, cli.commands[name]) for name in names]
        yield page_name(heading), heading, f"# {heading}\n\n" + "\n".join(sections)


def _index() -> str:
    rows = [
        (f"[`{name}`]({page_name(heading)}.md#{name})", escaped(sentence))
        for heading, commands in SECTIONS.items()
        for name, sentence in commands.items()
    ]
    aliases = [(code(alias), code(name)) for alias, name in ALIASES.items()]
    return "\n".join(
        [
            "# Commands\n",
            table(("command", "what it does"), rows),
            "## Aliases\n",
            table(("what you type", "what runs"), aliases),
            "## Options of most commands\n",
            "A command that works on a stack takes these options; they are left out below.\n",
            _options(list(_common_options().values())),
        ]
    )


def _common_options() -> dict[str, click.Option]:
    """Return the options that all of a few different commands have, by name."""
    commands = [cli.commands[name] for name in _COMMON]
    shared = set.intersection(*({_key(option) for option in _visible(command)} for command in commands))
    return {_key(option): option for option in _visible(cli.commands[_COMMON_COMMAND]) if _key(option) in shared}


def _key(option: click.Option) -> str:
    return " ".join(option.opts)


def _visible(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option) and not param.hidden]


def _command(name: str, command: click.Command, level: int = 2) -> str:
    """Return the section of a command, with those of its subcommands."""
    common = _common_options()
    own = [option for option in _visible(command) if _key(option) not in common]
    usage = " ".join([PROGRAM, name, *command.collect_usage_pieces(click.Context(command, info_name=name))])
    parts = [f"{'#' * level} {name}\n", f"{escaped(_help(command))}\n", f"```text\n{usage}\n```\n"]
    if own:
        parts.append(_options(own))
    if examples := EXAMPLES.get(name):
        lines = "\n".join(f"$ {PROGRAM} {example}" for example in examples)
        parts.append(f"```console\n{lines}\n```\n")
    if isinstance(command, click.Group):
        parts += [_command(f"{name} {each}", sub, level + 1) for each, sub in sorted(command.commands.items())]
    return "\n".join(parts)


def _help(command: click.Command) -> str:
    """Return the help text of a command, its paragraphs as they are, without click's marks."""
    return inspect.cleandoc(command.help or "").split("\f")[0].replace("\b\n", "")


def _options(options: list[click.Option]) -> str:
    return table(("option", "what it does"), [_option_row(option) for option in options])


def _option_row(option: click.Option) -> tuple[str, str]:
    context = click.Context(click.Command("any"))
    record = option.get_help_record(context)
    names, text = record or (_key(option), option.help or "")
    variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    environment = f" Environment: {', '.join(map(code, variables))}." if variables and not option.show_envvar else ""
    return code(names), escaped(text) + environment
