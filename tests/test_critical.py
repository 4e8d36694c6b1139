from __future__ import annotations

from provisioner.engine.critical import Stage, inverted, longest, stages
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
    late = longest(stages({"db": [], "app": [Edge("db", ready=True, because="it asks it")]}), seconds)

    assert (early.seconds, late.seconds) == (40, 50)


def test_what_is_needed_goes_after_what_needs_it() -> None:
    assert inverted({"vpc": [], "subnet": ["vpc", "gone"]}) == {"vpc": {"subnet"}, "subnet": set()}
