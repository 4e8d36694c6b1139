"""The commands that there are."""

from __future__ import annotations

import click


def leaves(group: click.Group, above: str = "") -> dict[str, click.Command]:
    """All commands that do something, by what is typed."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = leaves(command, f"{above}{name} ") if isinstance(command, click.Group) else {f"{above}{name}": command}
        found |= inner
    return found
