"""The base class of every group of settings."""

from __future__ import annotations

import re

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def unit(name: str) -> dict[str, JsonValue]:
    """Return the entry that a field adds to its JSON Schema to state the unit of its number."""
    return {"unit": name}


# CloudWatch's Threshold and Application Auto Scaling's TargetValue are doubles (botocore's service models).
# Beyond this number, a double cannot tell a whole number from the next one.
MOST_EXACT = 2**53
# Accepts a choice among numbers as text too, as it comes from shells and environment variables.
NUMBER = BeforeValidator(lambda value: int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else value)
