"""The settings that a stack may have been created with, so that a teardown needs none of them repeated."""

from __future__ import annotations

from typing import Any

from provisioner.settings import Settings
from provisioner.settings.profiles import PRODUCTION, with_profile_defaults

# Each of the two variants declares resources that other settings do not. IAM login and a read-only root file
# system are off in them: they declare no resources, and they contradict some settings that may be given.
_MORE: dict[str, Any] = {
    "profile": "production",
    "network": {"nat": "per_zone"},
    "container": {"readonly_root": False},
    "database": {"monitoring": 60, "iam_login": False},
    "encryption": {"key": "own"},
    "edge": {"vpc_origin": True},
}
_PRIVATE: dict[str, Any] = {
    "network": {"nat": "none"},
    "container": {
        # A name that no user is likely to give to a variable.
        "secrets": {"ML_API_ENDS": "arn:aws:ssm:us-east-1:111122223333:parameter/any"},
        "readonly_root": False,
    },
    "service": {"exec": True},
}


def with_zones(settings: Settings, count: int) -> Settings:
    """Return the settings with this number of availability zones."""
    return settings.model_copy(update={"network": settings.network.model_copy(update={"zones": count})})


def variants(settings: Settings) -> list[Settings]:
    """Return the given settings, followed by variants of them that declare further resources.

    Together they declare every resource that the stack may have.
    """
    given = settings.model_dump(mode="json", exclude_none=True)
    others = (with_profile_defaults(PRODUCTION, _MORE), _PRIVATE)
    return [settings, *(Settings.model_validate(with_profile_defaults(given, other)) for other in others)]
