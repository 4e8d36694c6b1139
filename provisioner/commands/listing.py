"""`list`: the stacks that are known here, and the ledgers that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.errors import LedgerError
from provisioner.terminal.say import Say, table
from provisioner.workspace import Workspace

_HEAD = ("suffix", "account", "region", "resources")


def list_stacks(say: Say, workspaces: Iterable[Workspace]) -> int:
    """Every stack with its place and size; a damaged ledger is named and hides no other."""
    known: list[dict[str, Any]] = []
    damaged: list[LedgerError] = []
    for workspace in workspaces:
        for suffix in workspace.suffixes():
            try:
                known += [row] if (row := _row(workspace, suffix)) else []
            except LedgerError as error:
                damaged.append(error)
    if say.as_json:
        say.record("list", stacks=known, damaged=[one.message for one in damaged])
    else:
        for line in table(([str(row[name]) for name in _HEAD] for row in known), _HEAD):
            say.data(line)
    for one in damaged:
        say.warn(one.message, one.hint)
    return LedgerError.exit_code if damaged else 0


def _row(workspace: Workspace, suffix: str) -> dict[str, Any] | None:
    document = workspace.document(suffix)
    if document is None:
        return None
    account = "embedded" if workspace.local else document.place.account
    cells = (suffix, account, document.place.region, len(document.entries))
    return dict(zip(_HEAD, cells, strict=True))
