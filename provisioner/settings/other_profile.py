"""The same settings in the other profile, to compare the two profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from provisioner.settings import Settings
from provisioner.settings.profiles import PROFILES


def settings_in_other_profile(settings: Settings) -> Settings | None:
    """Return the settings with the defaults of the other profile; None if the two contradict each other.

    Values that differ from the defaults of their own profile are kept.
    """
    (other,) = PROFILES.keys() - {settings.profile}
    said = _beyond(_values(settings), _values(Settings(profile=settings.profile)))
    try:
        return Settings.model_validate({**said, "profile": other})
    except ValidationError:
        return None


def _values(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON values, without unset ones."""
    return settings.model_dump(mode="json", exclude_none=True)


def _beyond(given: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from the defaults, also in nested mappings."""
    told = {key: value for key, value in given.items() if value != usual.get(key)}
    for key, value in told.items():
        if isinstance(value, Mapping) and isinstance(usual.get(key), Mapping):
            told[key] = _beyond(value, usual[key])
    return told
