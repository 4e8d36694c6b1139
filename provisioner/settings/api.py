"""What the load balancer routes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provisioner.settings.section import Section

# What a listener rule and nginx read alike (botocore elbv2 RuleCondition: 128 characters).
Prefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*\*?$", max_length=128)]


class Api(Section):
    """What the load balancer routes."""

    prefixes: tuple[Prefix, ...] = Field(
        ("/api/v1/*", "/api/v2/*"), min_length=1, description="path patterns that lead to the service"
    )
