"""Whose the images are: from the first use of `deploy` on they are its own, until `--take image`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provisioner.engine.clients import Clients
from provisioner.engine.compare import Difference
from provisioner.engine.explain import explained
from provisioner.engine.graph import Stack
from provisioner.engine.plan import Plan
from provisioner.kinds.ecs.shipped import DEPLOY, shipped_image
from provisioner.settings import Settings
from state.document import Document


def shipped_images(clients: Clients, s: Settings, stack: Stack, document: Document) -> dict[str, str]:
    """The image that was shipped to each service; those whose image is as it was set are left out."""
    cluster = stack.nodes["cluster"].aws_name
    found: dict[str, str] = {}
    for one in s.workloads:
        node = stack.nodes[one.named("service")]
        entry = document.entries.get(node.name)
        with explained(f"looking at {node.aws_name}"):
            image = shipped_image(clients, cluster, entry.id if entry and entry.id else node.aws_name)
        if image:
            found[one.name] = image
    return found


def show_as_held(plan: Plan, s: Settings, shipped: Mapping[str, str]) -> None:
    """Say in the plan which images are left to `deploy`, and what is set in their place."""
    for one in s.workloads:
        if one.name in shipped and shipped[one.name] != one.image:
            name = one.named("service")
            theirs = Difference("image", shipped[one.name], one.image, DEPLOY)
            change = plan.changes[name]
            plan.changes[name] = replace(change, held=(*change.held, theirs))
