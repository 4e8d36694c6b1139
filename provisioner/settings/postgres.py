"""The major versions of Aurora PostgreSQL: the default for a new stack, and when standard support ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

# It has more than two years of standard support left, and every client supports it.
DEFAULT_MAJOR = "17"
# The last day of standard support. 11 to 17: Aurora PostgreSQL release notes, release calendar, as copied by
# endoflife-date/endoflife.date (products/amazon-aurora-postgresql.md, 2026-01); for 13 and 14 also AWS's own
# letters (aws-samples/aws-fault-injection-simulator-workshop-v2#177, guardian/giant#850).
STANDARD_SUPPORT_ENDS: Mapping[str, date] = {
    "11": date(2024, 2, 29),
    "12": date(2025, 2, 28),
    "13": date(2026, 2, 28),
    "14": date(2027, 2, 28),
    "15": date(2028, 2, 29),
    "16": date(2029, 2, 28),
    "17": date(2030, 2, 28),
    "18": date(2031, 2, 28),
}
# Estimated, not read from AWS's calendar: the end of February after the community's last release, as for all
# versions before it.
ESTIMATED_END_OF_SUPPORT = frozenset({"18"})
# The values of EngineLifecycleSupport (botocore rds CreateDBCluster). AWS enrols a cluster that states none.
EXTENDED_SUPPORT_CHARGE = "extended support of the database"
EXTENDED_SUPPORT, NO_EXTENDED_SUPPORT = "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"
# AWS sends reminders half a year before an end of support (Aurora user guide, version policy).
NOTICE_PERIOD = timedelta(days=183)


def major_of(version: str) -> str:
    """Return the major version of an exact version."""
    return version.split(".", 1)[0]


def is_later_major(version: str, than: str) -> bool:
    """Return whether the major version of `version` is later than that of `than`; False for non-numbers."""
    majors = major_of(version), major_of(than)
    return all(major.isdigit() for major in majors) and int(majors[0]) > int(majors[1])


def day_of(seconds: float) -> date:
    """Return the UTC day of a wall-clock second; AWS's dates are in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date()


def is_support_end_near(end: date, today: date) -> bool:
    """Return whether an end of support is at most half a year away, or past."""
    return end - today <= NOTICE_PERIOD
