"""The profiles: named sets of defaults for the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

# The profile `seed` changes nothing: the defaults of the model are plain and cheap.
SEED: Values = {}
# The values that a security review asks for; the settings can override each of them.
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
# The profile if the settings name none.
PROFILE = "production"


def with_profile_defaults(profile: Values, given: Values) -> dict[str, Any]:
    """Merge the values of a profile with the given values, which win; sections are merged key by key."""
    merged = {**profile, **given}
    for section, values in profile.items():
        if isinstance(values, Mapping) and isinstance(given.get(section), Mapping):
            merged[section] = with_profile_defaults(values, given[section])
    return merged
