"""What caps the stack's roles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provisioner.settings.section import Section

_Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:policy/[\w+=,.@/-]+$")]


class Roles(Section):
    """The roles of the stack."""

    boundary: Literal["off", "own"] | _Arn = Field(
        "off",
        examples=["arn:aws:iam::111122223333:policy/ml-api-boundary"],
        description="the permissions boundary of every role: none, one of the stack's own, or a policy's ARN",
    )
