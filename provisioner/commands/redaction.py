"""The command line as it may be recorded: without what may be secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# `--env NAME=...`, in one word or in two.
_VARIABLE = re.compile(r"(?s)^((?:--env=)?\w+=).*")
# `--set container.environment={...}`, `--set api.services={"a": {"environment": ...}}`: an environment
# variable of a container may be secret.
_SECRET_SETTING = re.compile(
    r"(?is)^((?:--set=)?[\w.-]*(?:environment|secret|password|token|key)[\w.-]*=|"
    r"(?:--set=)?[\w.-]+=(?=.*environment)).*"
)
# `--password hunter2`, `postgres://user:hunter2@host`.
_SECRET_OPTION = re.compile(r"(?i)--?[\w-]*(?:password|passwd|secret|token|api-?key)")
_NOT_KEPT = "(not kept)"
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^/@\s]+@")


def redact_arguments(arguments: Iterable[str], words: Sequence[str] = ()) -> list[str]:
    """Return the command line without values of settings and variables that may be secret.

    `words` are those of a command that runs in a container, the first being its program. No rule can tell
    which of `-p hunter2`, `-phunter2` or `NAME=hunter2` is a secret, so nothing behind the program is kept.
    """
    options = _without_words(list(arguments), words)
    redacted = [_redact_argument(former, argument) for former, argument in zip(["", *options], options, strict=False)]
    return [*redacted, "--", *_redact_words(words)] if words else redacted


def _without_words(arguments: list[str], words: Sequence[str]) -> list[str]:
    """Return the command line without the words that run in a container, and without the `--` before them.

    Options may stand between the words, so each word is looked for from the end on.
    """
    remaining, options = list(words), list[str]()
    for argument in reversed(arguments):
        if remaining and argument == remaining[-1]:
            remaining.pop()
        elif not (words and argument == "--"):
            options.insert(0, argument)
    return options


def _redact_words(words: Sequence[str]) -> list[str]:
    """Return the name of the program that runs in a container, and how many words follow it."""
    program = (words[0].split() or [""])[0]
    if "=" in program or program.startswith("-"):
        program = _NOT_KEPT
    left_out = len(words) - 1 + (program != words[0])
    return [_URL_PASSWORD.sub(rf"\1{_NOT_KEPT}@", program), *([f"({left_out} not kept)"] if left_out else [])]


def _redact_argument(former: str, argument: str) -> str:
    """Return one word of a command line without secrets; `former` is the word before it."""
    if _SECRET_OPTION.fullmatch(former):
        return _NOT_KEPT
    pattern = _VARIABLE if former == "--env" or argument.startswith("--env=") else _SECRET_SETTING
    return _URL_PASSWORD.sub(rf"\1{_NOT_KEPT}@", pattern.sub(rf"\1{_NOT_KEPT}", argument))
