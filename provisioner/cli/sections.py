"""The list of commands in `--help`: by what one wants to do, each with its whole first sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

SECTIONS = {
    "Bring up and take down": ("apply", "plan", "drift", "teardown", "verify-gone"),
    "Ship": ("deploy", "rollback", "releases", "restart", "scale", "run"),
    "Look": ("status", "doctor", "logs", "exec", "db", "open", "outputs", "report", "graph"),
    "Remember": ("list", "history", "show", "diff", "timeline", "state"),
    "Rights and keys": ("policy", "bootstrap", "rotate-origin-secret"),
    "This tool": ("config", "local", "completion"),
}
_OTHERS = "More"
# Where the part of a help text ends that says enough.
_END = re.compile(r"[;.](?:\s|$)")


class Sections(click.Group):
    """A group that lists its commands under headings."""

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section; a command that none names stands under the last heading."""
        for title, names in self._sections():
            rows = [(name, brief(self.commands[name])) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)

    def _sections(self) -> Iterator[tuple[str, list[str]]]:
        named = {name for names in SECTIONS.values() for name in names}
        others = [name for name in self.commands if name not in named]
        for title, names in (*SECTIONS.items(), (_OTHERS, others)):
            if known := [name for name in names if name in self.commands]:
                yield title, known


def brief(command: click.Command) -> str:
    """What a command does, in so much of its help as says it."""
    return _END.split(" ".join((command.help or "").split()), maxsplit=1)[0] + "."
