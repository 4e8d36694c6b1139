"""The AWS profile in use: its name, its configuration, and the names of the other profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError

Doc = Mapping[str, Any]
# A key of our own in the configuration: the profile at the end of the `source_profile` chain, which signs in.
_SIGN_IN_PROFILE = "name of the last"


@dataclass(frozen=True)
class Profile:
    """One AWS profile of this user.

    `config` holds its settings, and those of the profiles in its `source_profile` chain. `is_chosen` says
    whether the environment names the profile; `profile_names` holds the names of all profiles.
    """

    name: str = ""
    is_chosen: bool = False
    config: Doc = field(default_factory=dict)
    profile_names: tuple[str, ...] = ()

    @classmethod
    def current(cls) -> Profile:
        """Return the profile that this environment chooses; with no settings if the files cannot be read."""
        core = botocore.session.Session()
        chosen = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""
        name = chosen or "default"
        try:
            profiles = core.full_config.get("profiles", {})
        except BotoCoreError:
            return cls(name, bool(chosen))
        return cls(name, bool(chosen), dict(_merged_settings(profiles, name)), tuple(profiles))

    @property
    def words(self) -> str:
        """The profile as words inside a sentence."""
        return f"the profile {self.name}"

    @property
    def title(self) -> str:
        """The profile as words at the head of a sentence."""
        return f"The profile {self.name}"

    @property
    def login(self) -> str:
        """The command that signs in again; "" if the profile has no sign-in."""
        if self.config.get("sso_session") or self.config.get("sso_start_url"):
            return f"aws sso login --profile {self.config[_SIGN_IN_PROFILE]}"
        if self.config.get("login_session"):
            return f"aws login --profile {self.config[_SIGN_IN_PROFILE]}"
        return ""

    @property
    def profile_list(self) -> str:
        """A sentence that lists all profiles."""
        return (
            f"Profiles there are: {', '.join(self.profile_names)}."
            if self.profile_names
            else "There is no profile yet."
        )


def _merged_settings(profiles: Mapping[str, Doc], name: str) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a profile and of its `source_profile` chain; the nearest profile's value wins."""
    settings: dict[str, Any] = {}
    visited: set[str] = set()
    while name and name not in visited and isinstance(profiles.get(name, {}), Mapping):
        visited.add(name)
        settings = {**profiles.get(name, {}), **settings, _SIGN_IN_PROFILE: name}
        name = str(profiles.get(name, {}).get("source_profile", ""))
    yield from settings.items()
