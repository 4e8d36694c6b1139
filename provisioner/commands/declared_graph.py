"""`plan --offline` and `graph`: the declared stack, from settings and state alone; makes no call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioner.aws.regions import choose_region
from provisioner.engine.resource_graph.graph import Stack
from provisioner.report.diagram import stack_diagram
from provisioner.report.resources import resources_from_graph
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.endpoints import check_images_reachable
from provisioner.steps.lookups import StackLookups, offline_lookups
from provisioner.terminal.console import Console
from provisioner.terminal.graph import show_graph
from provisioner.terminal.graph_formats import as_dot, as_mermaid
from provisioner.terminal.graph_svg import as_svg as graph_as_svg
from provisioner.terminal.report.diagram_svg import as_svg as diagram_as_svg
from provisioner.workspace import Workspace


def _as_report_picture(stack: Stack) -> str:
    """Draw the declared resources as `report` does; nothing is known of their health."""
    title = f"{stack.suffix} in {stack.region}: as declared"
    return diagram_as_svg(stack_diagram(resources_from_graph(stack), title, stack.region))


DRAWINGS: Mapping[str, Callable[[Stack], str]] = {
    "mermaid": as_mermaid,
    "dot": as_dot,
    "svg": _as_report_picture,
    "svg-graph": graph_as_svg,
}


def print_declared_stack(
    console: Console, workspace: Workspace, suffix: str, settings: Settings, region: str | None
) -> int:
    """Print the whole declared graph, with a reference in place of each value that only AWS can give."""
    show_graph(console, declared_stack(workspace, suffix, settings, region))
    return 0


def print_drawing(console: Console, stack: Stack, drawing: str) -> int:
    """Print the graph as a drawing of the given form; with --json, print it as JSON."""
    if console.as_json:
        show_graph(console, stack)
    else:
        console.data(DRAWINGS[drawing](stack))
    return 0


def declared_stack(workspace: Workspace, suffix: str, settings: Settings, region: str | None) -> Stack:
    """Return the declared stack, from settings and state alone."""
    state = workspace.load_state(suffix)
    recorded_lookups = state.lookups if state else {}
    lookups = offline_lookups(
        settings.network.zones, settings.database.effective_version(recorded_lookups.get("version", ""))
    )
    if state and recorded_lookups.get("engine"):
        location, zones = state.location, (*recorded_lookups["zones"], *lookups.zones)[: settings.network.zones]
        lookups = StackLookups(
            location.account,
            location.partition,
            zones,
            recorded_lookups["engine"],
            recorded_lookups["master_password"],
            recorded_lookups["born"],
        )
    region_name = state.location.region if state else choose_region(region, local=workspace.is_local).name
    check_images_reachable(settings, region_name)
    return build(settings, suffix, region_name, lookups)
