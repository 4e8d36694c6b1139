"""The list of commands in `--help`: under headings by purpose, each with its whole first sentence."""

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
# The end of that part of a help text which is enough for the list.
_END = re.compile(r"[;.](?:\s|$)")


class Sections(click.Group):
    """A group of commands that lists them under headings."""

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section; a command in no section stands under the last heading."""
        for title, names in self._sections():
            rows = [(name, brief(self.commands[name])) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)

    def _sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the headings with the commands that exist under each."""
        named = {name for names in SECTIONS.values() for name in names}
        others = [name for name in self.commands if name not in named]
        for title, names in (*SECTIONS.items(), (_OTHERS, others)):
            if known := [name for name in names if name in self.commands]:
                yield title, known


def brief(command: click.Command) -> str:
    """Return the beginning of a command's help, up to the end of its first clause."""
    return _END.split(" ".join((command.help or "").split()), maxsplit=1)[0] + "."
