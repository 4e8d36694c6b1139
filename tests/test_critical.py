from __future__ import annotations

from provisioner.engine.critical import End, Stage, ends, inverted, longest, stages
from provisioner.engine.graph import Edge


def test_the_longest_chain_counts_seconds_and_not_steps() -> None:
    graph = {"a": set[str](), "b": {"a"}, "c": {"b"}, "slow": {"a"}, "end": {"c", "slow"}}

    chain = longest(graph, {"a": 1, "b": 1, "c": 1, "slow": 9})

    assert (chain.steps, chain.seconds) == (("a", "slow"), 10)


def test_an_empty_graph_has_an_empty_chain() -> None:
    assert longest({}, {}).seconds == 0


def test_an_edge_that_needs_existence_does_not_wait_for_readiness() -> None:
    seconds = {Stage("db", "ready"): 40.0, Stage("app", "ready"): 10.0}

    early = longest(stages({"db": [], "app": [Edge("db")]}), seconds)
    late = longest(stages({"db": [], "app": [Edge("db", ready=True, reason="it asks it")]}), seconds)

    assert (early.seconds, late.seconds) == (40, 50)


def test_what_is_needed_goes_after_what_needs_it() -> None:
    assert inverted({"vpc": [], "subnet": ["vpc", "gone"]}) == {"vpc": {"subnet"}, "subnet": set()}


def test_an_end_waits_for_the_end_of_what_needs_it_or_only_for_its_beginning() -> None:
    needs = {"cluster": [], "instance": ["cluster"], "rule": ["instance"]}
    graph = ends(needs, lambda name, other: (name, other) == ("cluster", "instance"))

    assert graph[End("cluster", "going")] == {End("instance", "going")}
    assert graph[End("instance", "going")] == {End("rule", "gone")}
    assert longest(graph, {End(name, "gone"): 30.0 for name in needs}).seconds == 60
