"""The settings of the IAM roles: who may assume them, and their permissions boundary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provisioner.settings.section import Section

_Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$")]


class Roles(Section):
    """The settings of the IAM roles."""

    bound_trust: bool = Field(False, description="only tasks of this account and region take the roles of tasks")
    boundary: Literal["off", "own"] | _Arn = Field(
        "off",
        examples=["arn:aws:iam::111122223333:policy/ml-api-boundary"],
        description="the permissions boundary of every role: none, one of the stack's own, or a policy's ARN",
    )
