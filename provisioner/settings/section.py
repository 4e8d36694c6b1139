"""What every group of settings is."""

from __future__ import annotations

import re

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def unit(name: str) -> dict[str, JsonValue]:
    """What a number counts, as the schema tells it."""
    return {"unit": name}


# CloudWatch's Threshold and Application Auto Scaling's TargetValue are doubles (botocore's service models):
# beyond this, one whole number is the same double as the next.
MOST_EXACT = 2**53
# Lets a choice among numbers be given as text, as shells and environments do.
NUMBER = BeforeValidator(lambda value: int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else value)
