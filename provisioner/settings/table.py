"""The settings of the DynamoDB table of the sessions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provisioner.settings.section import Section, unit


class Table(Section):
    """The settings of the DynamoDB table of the sessions."""

    billing: Literal["on_demand", "provisioned"] = Field("on_demand", description="how capacity is bought")
    # The quota of DynamoDB for one table, the same for reads and writes.
    read_units: int = Field(
        5, ge=1, le=40000, description="capacity when provisioned", json_schema_extra=unit("reads a second")
    )
    write_units: int = Field(
        5, ge=1, le=40000, description="capacity when provisioned", json_schema_extra=unit("writes a second")
    )
    ttl_attribute: str = Field(
        "ttl", pattern=r"^[^\x00-\x1f\x7f]{0,255}$", description="says when an item expires; empty: none does"
    )
    point_in_time_recovery: bool = Field(True, description="every second of 35 days can be restored")
    deletion_protection: bool = Field(False, description="AWS refuses to delete the table")
