"""What rings, at which measure, and who hears it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provisioner.settings.section import Section

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=256)]


class Alarms(Section):
    """CloudWatch alarms, the topics they speak to, and one dashboard."""

    enabled: bool = Field(False, description="alarms, and the topics they speak to")
    emails: tuple[Email, ...] = Field((), description="addresses that hear them, once they have confirmed")
    dashboard: bool = Field(False, description="one CloudWatch dashboard of the stack")
    errors: int = Field(10, ge=1, description="answers of 5xx in 5 minutes, balancer and tasks each")
    latency: float = Field(2.0, gt=0, le=4000, description="seconds that 99 of 100 requests stay under")
    database_cpu: int = Field(80, ge=1, le=100, description="percent of the database's CPU")
    database_acu: int = Field(95, ge=1, le=100, description="percent of the database's largest capacity")
    connections: int = Field(150, ge=1, description="connections to the database")
    blocked: int = Field(500, ge=1, description="requests that the firewall blocks in 5 minutes")
