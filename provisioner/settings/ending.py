"""What a stack may have been made with: its end does not depend on being told the same settings again."""

from __future__ import annotations

from typing import Any

from provisioner.settings import Settings
from provisioner.settings.profiles import PRODUCTION, laid_under

# Each adds nodes that other settings do not have. What adds none, and does not go with all that may be given,
# is off: who logs in by role, and a root that cannot be written beside a shell.
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
        # A name that no variable of theirs has.
        "secrets": {"ML_API_ENDS": "arn:aws:ssm:us-east-1:111122223333:parameter/any"},
        "readonly_root": False,
    },
    "service": {"exec": True},
}


def with_zones(s: Settings, count: int) -> Settings:
    """The same settings for as many zones as the stack has."""
    return s.model_copy(update={"network": s.network.model_copy(update={"zones": count})})


def variants(s: Settings) -> list[Settings]:
    """The settings given, then those under which more would have been made."""
    given = s.model_dump(mode="json", exclude_none=True)
    others = (laid_under(PRODUCTION, _MORE), _PRIVATE)
    return [s, *(Settings.model_validate(laid_under(given, other)) for other in others)]
