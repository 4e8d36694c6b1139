"""`plan --offline`: what is declared, by settings and ledger alone; nothing is called."""

from __future__ import annotations

from provisioner.regions import choose_region
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.endpoints import check_reachable
from provisioner.steps.facts import Facts, offline
from provisioner.terminal.graph import show_graph
from provisioner.terminal.say import Say
from provisioner.workspace import Workspace


def show_declared(say: Say, workspace: Workspace, suffix: str, settings: Settings, region: str | None) -> int:
    """Print the full declared graph; what only AWS can give stands in it as a name."""
    document = workspace.document(suffix)
    known = document.facts if document else {}
    facts = offline(settings.network.zones, settings.database.version)
    if document and known.get("engine"):
        place, zones = document.place, (*known["zones"], *facts.zones)[: settings.network.zones]
        facts = Facts(
            place.account, place.partition, zones, known["engine"], known["master_password"], known["born"]
        )
    where = document.place.region if document else choose_region(region).name
    check_reachable(settings, where)
    show_graph(say, build(settings, suffix, where, facts))
    return 0
