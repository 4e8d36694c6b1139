"""The graph of a teardown that is told no settings: each resource depends on all that it may depend on."""

from __future__ import annotations

from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from provisioner.settings import Settings
from provisioner.settings.variants import teardown_variants
from provisioner.stack import build, build_all
from provisioner.steps.lookups import offline_lookups


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_what_a_resource_needs_with_any_settings_goes_after_it(profile: str, region: str) -> None:
    settings = Settings.model_validate({"profile": profile})
    lookups = replace(offline_lookups(settings.network.zones, settings.database.version), account="123456789012")

    whole = build_all(settings, "prod", region, lookups)

    for one in teardown_variants(settings):
        for resource in build(one, "prod", region, lookups):
            assert set(resource.depends_on) <= set(whole.resources[resource.logical_id].depends_on), resource.logical_id
    TopologicalSorter(
        {resource.logical_id: resource.depends_on for resource in whole}
    ).prepare()  # raises where they go in a circle


def test_the_boundary_goes_after_the_marker_that_bears_it() -> None:
    """The marker goes last: a boundary that were to go before it waited for it without end."""
    settings = Settings.model_validate({"profile": "seed"})
    whole = build_all(settings, "prod", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))

    assert "boundary" in whole.resources
    assert "boundary" not in whole.created_after_marker()
