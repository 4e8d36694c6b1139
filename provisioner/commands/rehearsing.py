"""`local start|stop|status`: the embedded AWS of this folder."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from provisioner.embedded import local
from provisioner.engine.clock import Clock
from provisioner.errors import UsageError
from provisioner.terminal.say import Say
from provisioner.workspace import Workspace


def start(
    say: Say, *, pace: float | None, manners: bool | None, port: int, authorise: Path | None = None
) -> int:
    """Start it, or say that it runs; UsageError where it runs in another way than the one asked for."""
    box = local.start(Workspace.here().embedded, pace=pace or 0.0, manners=manners is not False, port=port)
    asked = {"pace": pace, "manners": manners}
    other = [name for name, value in asked.items() if value is not None and value != getattr(box, name)]
    if other:
        raise UsageError(
            f"The embedded AWS runs already, {_manner(box)}: that cannot change while it does.",
            "`local stop` ends it, and all it holds; then start it anew.",
        )
    if authorise:
        local.authorise(box, _policies(authorise))
    _tell(say, box)
    return 0


def _policies(file: Path) -> list[Any]:
    """The policies in a file: what `policy --json` printed, one policy, or a list of them."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} holds no policies: {error}", "`policy --json` prints them.") from error
    listed = told.get("policies", [told]) if isinstance(told, dict) else told
    if not isinstance(listed, list) or not all(
        isinstance(one, dict) and "Statement" in one for one in listed
    ):
        raise UsageError(f"{file} holds no policies.", "`policy --json` prints them.")
    return listed


def stop(say: Say) -> int:
    """End it, and the ledgers of what it held; LockHeld while a run is at work on one of them."""
    workspace = Workspace.here(local=True)
    with ExitStack() as locks:
        for suffix in workspace.suffixes():
            locks.enter_context(workspace.lock(suffix, "local stop", 0, Clock()))
        stopped = local.stop(workspace.embedded)
        for suffix in workspace.suffixes():
            workspace.store(suffix).remove()
    if say.as_json:
        say.record("local", running=False, stopped=stopped)
    else:
        say.data(
            "The embedded AWS has ended, and what it held with it." if stopped else "It was not running."
        )
    return 0


def status(say: Say) -> int:
    """Say whether it runs, where, and in which manner; 1 where it does not."""
    _tell(say, box := local.running(Workspace.here().embedded))
    return 0 if box else 1


def _tell(say: Say, box: local.Local | None) -> None:
    if say.as_json:
        about = {"endpoint": box.endpoint, "pid": box.pid, "since": box.started} if box else {}
        manner = {"pace": box.pace, "manners": box.manners} if box else {}
        say.record("local", running=bool(box), **about, **manner)
    elif box:
        say.data(f"The embedded AWS listens at {box.endpoint} (process {box.pid}, {_manner(box)}).")
    else:
        say.data("Not running.")


def _manner(box: local.Local) -> str:
    return f"pace {box.pace:g}, manners {'on' if box.manners else 'off'}, since {box.started}"
