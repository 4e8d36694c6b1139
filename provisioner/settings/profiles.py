"""Sets of defaults: what a profile lays under the settings that are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

# The seed's table is what the settings are by themselves: plain and cheap.
SEED: Values = {}
# What a security review asks for; each can be set back by itself.
PRODUCTION: Values = {
    "protect_data": True,
    "network": {"flow_logs": True, "bare_default_group": True},
    "database": {"iam_login": True, "tag_snapshots": True},
    "container": {"readonly_root": True, "drop_capabilities": True},
    "edge": {"guard": "require", "security_headers": True},
    "logs": {"requests": True},
    "roles": {"bound_trust": True, "boundary": "own"},
    "waf": {"enabled": True},
    "alarms": {"enabled": True, "dashboard": True},
}

PROFILES: Mapping[str, Values] = {"seed": SEED, "production": PRODUCTION}
# Where nothing is said.
PROFILE = "production"


def laid_under(profile: Values, given: Values) -> dict[str, Any]:
    """The values given, with those of the profile where none are."""
    merged = {**profile, **given}
    for section, values in profile.items():
        if isinstance(values, Mapping) and isinstance(given.get(section), Mapping):
            merged[section] = laid_under(values, given[section])
    return merged
