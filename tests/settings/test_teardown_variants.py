"""The end of a stack: all that any settings could have made is known, and none stands in its way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.configuration import load_settings
from provisioner.settings.variants import teardown_variants
from provisioner.stack import build, build_all
from provisioner.steps.lookups import offline_lookups
from tests.support.setting_changes import setting_changes

# What others refuse beside what a variant lays over it.
TOGETHER = [
    ["profile=production", "service.exec=true", "container.readonly_root=false"],
    ["profile=seed", "database.username=mlapi_app"],
    ["profile=seed", 'container.environment={"ANY": "thing"}'],
    ["profile=production", "network.nat=none", "image=111122223333.dkr.ecr.us-east-1.amazonaws.com/a:1"],
]


def _typed(sets: dict[str, Any]) -> list[str]:
    return [f"{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in sets.items()]


EVERY = [[f"profile={one}", *_typed(way.there)] for one in ("seed", "production") for way in setting_changes(one)]


def test_no_setting_stands_in_the_way_of_an_end() -> None:
    assert len(EVERY) > 150
    for sets in [*EVERY, *TOGETHER]:
        assert len(teardown_variants(load_settings(None, sets, {}))) == 3


@pytest.mark.parametrize("sets", TOGETHER, ids=" ".join)
def test_all_that_was_declared_and_more_is_ended(sets: list[str]) -> None:
    settings = load_settings(None, sets, {})
    given = (settings, "a", "us-east-1", offline_lookups(settings.network.zones, settings.database.version))

    assert build(*given).resources.keys() < build_all(*given).resources.keys()
