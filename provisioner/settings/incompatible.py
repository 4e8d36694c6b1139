"""Settings that are possible each by itself and not together, and which of them to change."""

from __future__ import annotations

import re

from pydantic_core import ErrorDetails


class Incompatible(ValueError):
    """Settings that do not go together; `remedy` is a sentence that says which to change, and how."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def remedy_of(error: ErrorDetails) -> str:
    """Return what mends a refusal of several settings; "" where it is of one alone."""
    raised = error.get("ctx", {}).get("error")
    return raised.remedy if isinstance(raised, Incompatible) else ""


def remedy_at(place: str, remedy: str) -> str:
    """Return the remedy for a service of its own: image, container and counts are all settings at `place`."""
    return re.sub(r"`(?:(?:container|service)\.|(?=image`))", f"`{place}.", remedy)
