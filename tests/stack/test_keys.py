"""The stack's own KMS keys: one for each region with something to encrypt, and none that nothing uses."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups


@pytest.mark.parametrize(("waf", "logs", "alarms"), list(product((True, False), repeat=3)))
def test_every_key_is_used_and_none_is_missing(waf: bool, logs: bool, alarms: bool) -> None:
    settings = Settings.model_validate(
        {
            "encryption": {"key": "own"},
            "waf": {"enabled": waf, "logs": logs},
            "alarms": {"enabled": alarms},
        }
    )
    lookups = replace(offline_lookups(settings.network.zones, settings.database.version), account="123456789012")
    stack = list(build(settings, "prod", "eu-west-1", lookups))

    keys = {resource.logical_id for resource in stack if resource.logical_id in ("key", "global-key")}
    users = [resource for resource in stack if str(resource.type) not in ("KeyAlias", "KeyRotation")]

    assert {name for resource in users for name in resource.depends_on if name in keys} == keys
    assert ("global-key" in keys) == (waf and (logs or alarms))
