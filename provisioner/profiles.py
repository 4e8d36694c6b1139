"""The AWS profile in use: its name, what the files say of it, and which others there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError

Doc = Mapping[str, Any]
# The profile that signs in, of those that one takes its credentials from.
_LAST = "name of the last"


@dataclass(frozen=True)
class Profile:
    """One profile; `config` is what it says, and what those say that it takes its credentials from."""

    name: str = ""
    chosen: bool = False
    config: Doc = field(default_factory=dict)
    known: tuple[str, ...] = ()

    @classmethod
    def current(cls) -> Profile:
        """The one that this environment chooses; empty where the files cannot be read."""
        core = botocore.session.Session()
        chosen = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""
        name = chosen or "default"
        try:
            known = core.full_config.get("profiles", {})
        except BotoCoreError:
            return cls(name, bool(chosen))
        return cls(name, bool(chosen), dict(_followed(known, name)), tuple(known))

    @property
    def words(self) -> str:
        """The profile in a sentence."""
        return f"the profile {self.name}"

    @property
    def title(self) -> str:
        """The profile at the head of a sentence."""
        return f"The profile {self.name}"

    @property
    def login(self) -> str:
        """The command that signs in anew; "" where the profile has none."""
        if self.config.get("sso_session") or self.config.get("sso_start_url"):
            return f"aws sso login --profile {self.config[_LAST]}"
        if self.config.get("login_session"):
            return f"aws login --profile {self.config[_LAST]}"
        return ""

    @property
    def others(self) -> str:
        """The profiles that there are, in a sentence."""
        return f"Profiles there are: {', '.join(self.known)}." if self.known else "There is no profile yet."


def _followed(known: Mapping[str, Doc], name: str) -> Iterator[tuple[str, Any]]:
    """What a profile says, then what those say that it takes its credentials from; the first word counts."""
    said: dict[str, Any] = {}
    seen: set[str] = set()
    while name and name not in seen and isinstance(known.get(name, {}), Mapping):
        seen.add(name)
        said = {**known.get(name, {}), **said, _LAST: name}
        name = str(known.get(name, {}).get("source_profile", ""))
    yield from said.items()
