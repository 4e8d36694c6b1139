from __future__ import annotations

from provisioner.engine.estimates.critical_path import (
    DeleteStage,
    Stage,
    create_graph,
    critical_path,
    delete_graph,
    dependents_of,
)
from provisioner.engine.resource_graph.graph import Edge


def test_the_longest_chain_counts_seconds_and_not_steps() -> None:
    graph = {"a": set[str](), "b": {"a"}, "c": {"b"}, "slow": {"a"}, "end": {"c", "slow"}}

    chain = critical_path(graph, {"a": 1, "b": 1, "c": 1, "slow": 9})

    assert (chain.vertices, chain.seconds) == (("a", "slow"), 10)


def test_an_empty_graph_has_an_empty_chain() -> None:
    assert critical_path({}, {}).seconds == 0


def test_an_edge_that_needs_existence_does_not_wait_for_readiness() -> None:
    seconds = {Stage("db", "ready"): 40.0, Stage("app", "ready"): 10.0}

    early = critical_path(create_graph({"db": [], "app": [Edge("db")]}), seconds)
    late = critical_path(create_graph({"db": [], "app": [Edge("db", ready=True, reason="it asks it")]}), seconds)

    assert (early.seconds, late.seconds) == (40, 50)


def test_what_is_needed_goes_after_what_needs_it() -> None:
    assert dependents_of({"vpc": [], "subnet": ["vpc", "gone"]}) == {"vpc": {"subnet"}, "subnet": set()}


def test_an_end_waits_for_the_end_of_what_needs_it_or_only_for_its_beginning() -> None:
    needs = {"cluster": [], "instance": ["cluster"], "rule": ["instance"]}
    graph = delete_graph(needs, lambda name, other: (name, other) == ("cluster", "instance"))

    assert graph[DeleteStage("cluster", "going")] == {DeleteStage("instance", "going")}
    assert graph[DeleteStage("instance", "going")] == {DeleteStage("rule", "gone")}
    assert critical_path(graph, {DeleteStage(name, "gone"): 30.0 for name in needs}).seconds == 60
