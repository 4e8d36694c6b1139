"""The settings of the CloudWatch alarms: thresholds, mail addresses, dashboard."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provisioner.settings.section import MAX_EXACT_INTEGER, Section, unit

# RFC 5322, 3.2.3 (dot-atom: no dot at either end, no two in a row) and RFC 1035, 2.3.1: only the printable
# ASCII addresses that SNS sends to.
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
Email = Annotated[str, Field(pattern=rf"^{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+$", max_length=256)]


class Alarms(Section):
    """The settings of the CloudWatch alarms, their SNS topics, and one dashboard."""

    enabled: bool = Field(False, description="alarms, and the topics that they notify")
    emails: tuple[Email, ...] = Field((), description="addresses that are notified, once they have confirmed")
    dashboard: bool = Field(False, description="one CloudWatch dashboard of the stack")
    errors: int = Field(
        10,
        ge=1,
        le=MAX_EXACT_INTEGER,
        description="5xx of balancer and tasks, each",
        json_schema_extra=unit("answers in 5 minutes"),
    )
    latency: float = Field(
        2.0,
        gt=0,
        le=4000,
        description="response time that 99 of 100 requests stay under",
        json_schema_extra=unit("seconds"),
    )
    database_cpu: int = Field(80, ge=1, le=100, description="of the database's CPU", json_schema_extra=unit("percent"))
    database_acu: int = Field(
        95, ge=1, le=100, description="of the database's largest capacity", json_schema_extra=unit("percent")
    )
    connections: int = Field(
        150, ge=1, le=MAX_EXACT_INTEGER, description="to the database", json_schema_extra=unit("connections")
    )
    blocked: int = Field(
        500,
        ge=1,
        le=MAX_EXACT_INTEGER,
        description="requests that the firewall blocks",
        json_schema_extra=unit("requests in 5 minutes"),
    )
