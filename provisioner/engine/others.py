"""Recovery of replaced resources that a lost state knew beside the declared ones.

A replacement that was interrupted leaves two resources with the same tags; their own run had recorded both.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.clients import Clients
from provisioner.engine.explain import explained
from provisioner.engine.graph import Node
from provisioner.engine.kind import Item, Kind
from provisioner.engine.private import written
from provisioner.engine.refs import Doc
from provisioner.names import own_tags
from state.stack_state import ResourceState, StackState


def has_others(node: Node) -> bool:
    """Return whether two resources of this declaration may exist at once and differ only in their names."""
    return type(node.kind).others is not Kind.others


def remember_others(state: StackState, clients: Clients, asked: Iterable[tuple[Node, Item]]) -> None:
    """Record the further resources in the state as deposed, as the run that replaced them had done.

    `asked` holds the declared resources that the state did not know.
    """
    for node, it in asked:
        client = clients.client(node.kind.service, node.region)
        held = {resource_state.id for resource_state in state.resources.values()}
        with explained(f"looking for others of {node.aws_name or node.name}"):
            found = node.kind.others(client, it)
        for doc in found:
            id_ = node.kind.id_of(doc)
            if id_ not in held:
                state.resources[f"{node.name}~{id_}"] = _entry(node, doc, id_, state.salt)


def _entry(node: Node, doc: Doc, id_: str, salt: str) -> ResourceState:
    told = written({key: doc[key] for key in node.props if key in doc}, salt)
    return ResourceState(
        type_name=str(node.kind),
        aws_name=str(doc.get(node.kind.named, node.aws_name)),
        step=node.piece,
        region=node.region,
        phase="ready",
        id=id_,
        desired=told,
        recorded=told,
        depends_on=node.needs,
        tags=own_tags(node.tags),
    )
