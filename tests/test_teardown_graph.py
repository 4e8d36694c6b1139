"""The graph of a teardown that is told no settings: each resource depends on all that it may depend on."""

from __future__ import annotations

from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from provisioner.settings import Settings
from provisioner.settings.ending import variants
from provisioner.stack import build, build_all
from provisioner.steps.facts import offline


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_what_a_resource_needs_with_any_settings_goes_after_it(profile: str, region: str) -> None:
    s = Settings.model_validate({"profile": profile})
    facts = replace(offline(s.network.zones, s.database.version), account="123456789012")

    whole = build_all(s, "prod", region, facts)

    for one in variants(s):
        for node in build(one, "prod", region, facts):
            assert set(node.needs) <= set(whole.nodes[node.name].needs), node.name
    TopologicalSorter({node.name: node.needs for node in whole}).prepare()  # raises where they go in a circle


def test_the_boundary_goes_after_the_marker_that_bears_it() -> None:
    """The marker goes last: a boundary that were to go before it waited for it without end."""
    s = Settings.model_validate({"profile": "seed"})
    whole = build_all(s, "prod", "us-east-1", offline(s.network.zones, s.database.version))

    assert "boundary" in whole.nodes
    assert "boundary" not in whole.after_marker()
