"""Completes the commands in a hint by the options that were typed, so that they can be copied."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Mapping, Sequence

import click

from provisioner.commands.typed_words import options_of, single_dash_option
from provisioner.names import PROGRAM

# The options that select the stack and the AWS of a command: flags, and options with a value.
_FLAGS = ("--local",)
_OPTIONS = ("--suffix", "--state", "--state-endpoint", "--region", "--aws-profile", "--config")
_SHORT_NAMES = {"--suffix": "-s", "--region": "-r"}
_QUOTED = re.compile(r"`([^`\n]+)`")
# Placeholders in a hint for a value that was typed; any other word, such as OTHER, is still to be chosen.
_PLACEHOLDERS = ("NAME", "s3://...")
# Commands about all stacks: an option that selects one stack would hide what the hint promises.
_OF_ALL, _OF_ONE = ("list",), ("--suffix", "--region")


def complete_hint(hint: str, typed: Sequence[str], group: click.Group) -> str:
    """Return the hint with each of our commands in backticks as it is to be typed here.

    `typed` is the command line that ended. A command gets the program's name before it, and those of the
    options --suffix, --local, --state, --state-endpoint, --region, --aws-profile and --config that were typed and
    that it takes. An option from the environment is not repeated, but replaces a placeholder, as a typed one does.
    --set is not repeated, as it may hold a secret.
    """
    typed_words = list(itertools.takewhile(lambda word: word != "--", typed))
    return _QUOTED.sub(lambda quoted: f"`{_complete_command(quoted[1], typed_words, group) or quoted[1]}`", hint)


def _complete_command(text: str, typed: Sequence[str], group: click.Group) -> str:
    """Return a hint's command with the program's name and the typed options; "" if it is none of ours."""
    command_line = text.removeprefix(PROGRAM).strip()
    command = _find_command(command_line.split(), group)
    if command is None:
        return ""
    if command_line.endswith("--help"):
        return f"{PROGRAM} {command_line}"
    known_options = options_of(command)
    before, dashes, after = command_line.partition(" -- ")
    words = [before]
    for option in _OPTIONS:
        if option not in known_options or (command_line.startswith(_OF_ALL) and option in _OF_ONE):
            continue
        value = _typed_value(option, typed, known_options)
        if value is not None and option not in before.split():
            words.append(f"{option} {shlex.quote(value)}")
        value = value or known_options[option].value_from_envvar(click.Context(command))
        for placeholder in _PLACEHOLDERS if value else ():
            words[0] = words[0].replace(f"{option} {placeholder}", f"{option} {shlex.quote(value)}")
    words += [flag for flag in _FLAGS if flag in typed and flag in known_options and flag not in before]
    return f"{PROGRAM} {' '.join(words)}{dashes}{after}"


def _find_command(words: Sequence[str], group: click.Group) -> click.Command | None:
    """Return the command with which the words begin; None if they begin with none that can be run."""
    command = group.commands.get(words[0]) if words else None
    return _find_command(words[1:], command) if isinstance(command, click.Group) else command


def _typed_value(option: str, typed: Sequence[str], known_options: Mapping[str, click.Option]) -> str | None:
    """Return the value of an option as it was typed; None if it was not."""
    short_name = _SHORT_NAMES.get(option, option)
    for index, word in enumerate(typed):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        is_short = word.startswith(short_name) and not word.startswith("--") and word != short_name
        if is_short and not single_dash_option([word], known_options):
            return word.removeprefix(short_name)
        if word in (option, short_name):
            return typed[index + 1] if index + 1 < len(typed) else None
    return None
