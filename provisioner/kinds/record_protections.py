"""Route 53's protections of record sets: no batch that makes, changes or deletes such a record is taken.

botocore 1.44.5 route53, CreateResourceRecordSetProtections: also of a name and type that has no record yet.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.refs import Doc

# What ends those of a zone, as `as_option` tells them.
LIFTED_BY = (
    "aws route53 delete-resource-record-set-protections --hosted-zone-id {HostedZoneId} "
    "--protections {Protections}"
)
# What is asked here, by service: `policy` grants it.
CALLS = {"route53": ("ListResourceRecordSetProtections",)}


def protected(route53: Any, zone: str, names: Mapping[str, Iterable[str]]) -> list[Doc]:
    """Return the protections in a zone that are of these names and, of each, of these types.

    Args:
        route53: The client.
        zone: The hosted zone's id.
        names: Types of records, by name.

    """
    listed = route53.list_resource_record_set_protections(HostedZoneId=zone)
    wanted = {_low(name): set(types) for name, types in names.items()}
    return [
        {key: one[key] for key in ("RecordName", "RecordType")}
        for one in listed["ResourceRecordSetProtections"]
        if one["RecordType"] in wanted.get(_low(one["RecordName"]), ())
    ]


def in_words(found: Iterable[Doc]) -> str:
    """Say which types of records are protected."""
    return f"Route 53 protects its records of type {', '.join(one['RecordType'] for one in found)}"


def as_option(found: list[Doc]) -> str:
    """Return them as the AWS CLI takes them in its option `--protections`."""
    return shlex.quote(json.dumps(found))


def _low(name: str) -> str:
    return str(name).rstrip(".").lower()
