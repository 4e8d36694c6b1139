"""The profiles: named sets of defaults for the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ProfileValues = Mapping[str, Any]

# The profile `seed` changes nothing: the defaults of the model are plain and cheap.
SEED: ProfileValues = {}
# The values that a security review asks for; the settings can override each of them.
PRODUCTION: ProfileValues = {
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

PROFILES: Mapping[str, ProfileValues] = {"seed": SEED, "production": PRODUCTION}
# The profile if the settings name none.
DEFAULT_PROFILE = "production"


def with_profile_defaults(profile: ProfileValues, given: ProfileValues) -> dict[str, Any]:
    """Merge the values of a profile with the given values, which win; sections are merged key by key."""
    merged = {**profile, **given}
    for section, values in profile.items():
        if isinstance(values, Mapping) and isinstance(given.get(section), Mapping):
            merged[section] = with_profile_defaults(values, given[section])
    return merged
