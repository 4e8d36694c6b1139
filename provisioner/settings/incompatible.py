"""The error for settings that are valid one by one but contradict each other."""

from __future__ import annotations

import re

from pydantic_core import ErrorDetails


class Incompatible(ValueError):
    """Settings that contradict each other; `remedy` is a sentence that says which one to change, and how."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def remedy_of(error: ErrorDetails) -> str:
    """Return the remedy for settings that contradict each other; "" for any other error of validation."""
    raised = error.get("ctx", {}).get("error")
    return raised.remedy if isinstance(raised, Incompatible) else ""


def remedy_at(place: str, remedy: str) -> str:
    """Return the remedy for a further service, with the paths of its own settings.

    In the remedy, a setting of the main service is in `container`, `service` or `image`. That of a further
    service is in the group `place`.
    """
    return re.sub(r"`(?:(?:container|service)\.|(?=image`))", f"`{place}.", remedy)
