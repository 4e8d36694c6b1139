"""Other settings made from given ones: in the other profile, or with every resource that a teardown may meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from provisioner.settings import Settings
from provisioner.settings.profiles import PRODUCTION, PROFILES, with_profile_defaults


def settings_in_other_profile(settings: Settings) -> Settings | None:
    """Return the settings with the defaults of the other profile; None if the two contradict each other.

    Values that differ from the defaults of their own profile are kept.
    """
    (other,) = PROFILES.keys() - {settings.profile}
    chosen = _differences(_values(settings), _values(Settings(profile=settings.profile)))
    try:
        return Settings.model_validate({**chosen, "profile": other})
    except ValidationError:
        return None


def _values(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON values, without unset ones."""
    return settings.model_dump(mode="json", exclude_none=True)


def _differences(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from the defaults, also in nested mappings."""
    differing = {key: value for key, value in given.items() if value != defaults.get(key)}
    for key, value in differing.items():
        if isinstance(value, Mapping) and isinstance(defaults.get(key), Mapping):
            differing[key] = _differences(value, defaults[key])
    return differing


# Each of the two variants declares resources that other settings do not. IAM login and a read-only root file
# system are off in them: they declare no resources, and they contradict some settings that may be given.
_MORE_RESOURCES: dict[str, Any] = {
    "profile": "production",
    "network": {"nat": "per_zone"},
    "container": {"readonly_root": False},
    "database": {"monitoring": 60, "iam_login": False},
    "encryption": {"key": "own"},
    "edge": {"vpc_origin": True},
}
_PRIVATE_NETWORK: dict[str, Any] = {
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


def teardown_variants(settings: Settings) -> list[Settings]:
    """Return the given settings, followed by variants of them that declare further resources.

    Together they declare every resource that the stack may have.
    """
    given = settings.model_dump(mode="json", exclude_none=True)
    others = (with_profile_defaults(PRODUCTION, _MORE_RESOURCES), _PRIVATE_NETWORK)
    return [settings, *(Settings.model_validate(with_profile_defaults(given, other)) for other in others)]
