"""The settings of encryption at rest: whose KMS keys are used."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provisioner.settings.section import Section


class Encryption(Section):
    """The settings of the KMS keys; data at rest is always encrypted, with whichever keys."""

    key: Literal["aws", "own"] = Field(
        "aws",
        description="whose key data at rest is under: AWS's, or one of the stack's own",
    )
    database: bool = Field(
        True, description="a key of ours is the database's too; it keeps the key that it was made with"
    )
