"""The settings of the log groups and access logs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provisioner.settings.section import NUMBER, Section, unit

# botocore logs PutRetentionPolicy
_LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]

LogDays = Annotated[_LogDays, NUMBER]


class Logs(Section):
    """The settings of the log groups and access logs."""

    requests: bool = Field(
        False, description="a record of each request to CloudFront and the load balancer, in a bucket"
    )
    days: LogDays = Field(30, description="how long logs are kept", json_schema_extra=unit("days"))
