"""`status`: what stands, and how to reach it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from provisioner.commands.place import counted, whereabouts
from provisioner.engine.explain import explained
from provisioner.engine.peers import Peers
from provisioner.engine.target import read
from provisioner.engine.teardown import target_in
from provisioner.kinds import KINDS
from provisioner.session import Session
from provisioner.terminal.outputs import show_outputs
from provisioner.terminal.say import Say, table


def status(say: Say, session: Session) -> int:
    """Every resource with its phase, id and what AWS says of it now; then the outputs."""
    rows = []
    started = time.monotonic()
    clients = session.clients.sharing(Peers.of(session.document))
    well = True
    for name, entry in session.document.entries.items():
        kind = KINDS[entry.kind]
        if kind.shared:
            continue
        with explained(f"looking at {entry.kind} {entry.name or name}"):
            doc = read(clients, target_in(session.document, name, KINDS))
        live = "missing" if doc is None else condition(kind.ready, doc)
        well = well and doc is not None and entry.phase == "ready"
        rows.append({"node": name, "kind": entry.kind, "phase": entry.phase, "id": entry.id, "live": live})
    _show_status(say, session, rows)
    counted(say, session, len(rows), started)
    return 0 if well else 1


def condition(ready: Mapping[str, object], doc: Mapping[str, object]) -> str:
    """What AWS says of a resource, in the word that its kind waits for."""
    for key in ready:
        value = doc.get(key)
        return str(value.get("Code") if isinstance(value, Mapping) else value)
    return "there"


def _show_status(say: Say, session: Session, rows: list[dict[str, str]]) -> None:
    document = session.document
    if say.as_json:
        say.record("status", suffix=session.suffix, resources=rows, outputs=document.outputs)
        return
    say.data(f"{session.suffix}: {whereabouts(session)}")
    head = ("node", "kind", "phase", "live", "id")
    for line in table(([row[key] for key in head] for row in rows), head):
        say.data(line)
    say.data("")
    show_outputs(say, document.outputs, "table")
