"""For each setting another value, and what it needs beside it; made from the model: none is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.settings import Settings
from provisioner.settings.schema import SettingSchema, setting_schemas

OWN_IMAGE = "mine.example/api:1"
ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/any"
# Stand-ins for what somebody else has made by the time it is set.
ZONE, OTHER_ZONE = "ZEXAMPLE", "ZOTHER"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/EXAMPLE"
NAMED = {"domain.names": ["api.shop.example"], "domain.hosted_zone_id": ZONE}
# Values that the model cannot tell; a list of them where each is worth a change of its own.
VALUES: Mapping[str, list[Any]] = {
    "profile": ["production"],
    "image": [OWN_IMAGE],
    "tags": [{"Team": "ml"}],
    "network.zones": [2, 4],
    "network.nat": ["per_zone"],
    "container.health_path": ["/well"],
    "container.environment": [{"MODEL": "small"}],
    "container.secrets": [{"KEY": ARN}],
    "container.cpu": [512],
    "container.memory": [4096],
    "container.scratch": [["/tmp", "/var/cache"], []],
    "container.scratch_image": ["mine.example/busybox:1"],
    "service.fargate_base": [1],
    "database.min_acu": [0, 1],
    "database.max_acu": [4],
    "database.iam_user": ["other"],
    # Unset is AWS's default, true: only false changes a cluster.
    "database.extended_support": [False],
    "table.ttl_attribute": ["expires", ""],
    "roles.boundary": ["own"],
    "domain.names": [NAMED["domain.names"]],
    "domain.hosted_zone_id": [OTHER_ZONE],
    "domain.certificate_arn": [CERTIFICATE],
    "domain.balancer_certificate_arn": [CERTIFICATE],
    "domain.origin_name": ["balancer.api.shop.example"],
    "api.prefixes": [["/api/v2/*", "/api/v3/*"]],
    "api.services": [{"second": {"prefixes": ["/api/v4/*"]}}],
    "alarms.emails": [["ops@shop.example"]],
    "alarms.database_cpu": [70],
    "alarms.database_acu": [70],
}
# What a setting means something beside; the rest stands on the bare profile.
BESIDE: Mapping[str, Mapping[str, Any]] = {
    "container.protocol": {"image": OWN_IMAGE},
    # What is protected whole is protected each.
    "database.deletion_protection": {"protect_data": False},
    "database.final_snapshot": {"protect_data": False},
    "table.deletion_protection": {"protect_data": False},
    "container.scratch": {"container.readonly_root": True},
    "container.scratch_image": {"container.readonly_root": True},
    # Who opens a shell writes into the container.
    "service.exec": {"container.readonly_root": False},
    "database.pause_after": {"database.min_acu": 0},
    # The database keeps the key that it was made with.
    "encryption.key": {"encryption.database": False},
    "database.iam_user": {"database.iam_login": True},
    "domain.names": {"domain.hosted_zone_id": ZONE},
    **dict.fromkeys(("domain.hosted_zone_id", "domain.certificate_arn", "domain.balancer_certificate_arn"), NAMED),
    **dict.fromkeys(("domain.origin_name", "domain.tls"), NAMED),
    "table.read_units": {"table.billing": "provisioned"},
    "table.write_units": {"table.billing": "provisioned"},
}
# Those that change nothing of what stands: who may be asked, and what waits for what.
STILL = {
    "account": "123456789012",
    "service.wait_for_database": True,
    "domain.wait": 60,
    "encryption.database": False,
}
# Those that would lose data, or cannot be had beside what there is: refused, with the way out.
REFUSED: Mapping[str, Any] = {
    "network.cidr": "10.1.0.0/16",
    "network.public_cidrs": ["10.0.32.0/20", "10.0.48.0/20", "10.0.64.0/20"],
    "network.private_cidrs": ["10.0.128.0/20", "10.0.144.0/20", "10.0.160.0/20"],
    "database.version": "16",
    "database.name": "other",
    "database.username": "other",
    "edge.vpc_origin": True,
}


@dataclass(frozen=True)
class SettingChange:
    """One setting from one value to another, beside others."""

    path: str
    value: Any
    beside: Mapping[str, Any]

    @property
    def here(self) -> dict[str, str]:
        """What is set before, as it is typed."""
        return {path: _typed(value) for path, value in self.beside.items()}

    @property
    def there(self) -> dict[str, str]:
        """What is set after."""
        return {**self.here, self.path: _typed(self.value)}

    def __str__(self) -> str:
        return f"{self.path}={_typed(self.value)}"


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def setting_changes(profile: str) -> Iterator[SettingChange]:
    """Each setting that can be changed, alone, to each other value that is worth it."""
    given = Settings(profile=profile)
    for path, schema in setting_schemas().items():
        if path in STILL or path in REFUSED or (path == "profile" and profile != "seed"):
            continue
        beside = {**_turned_on(path), **BESIDE.get(path, {})}
        for value in alternative_values(schema, _at(given, path)):
            yield SettingChange(path, value, beside)


def _turned_on(path: str) -> dict[str, Any]:
    """What a setting of a thing that may be off is beside: that it is on."""
    group = path.partition(".")[0]
    if group not in ("alarms", "waf") or path == f"{group}.enabled":
        return {}
    watched = {"waf.enabled": True} if path == "alarms.blocked" else {}
    return {f"{group}.enabled": True, **watched}


def alternative_values(schema: SettingSchema, now: Any) -> list[Any]:
    """Other values than the one it has."""
    if schema.path in VALUES:
        return [value for value in VALUES[schema.path] if value != now]
    if schema.choices:
        return [value for value in schema.choices if value != now][:3]
    if isinstance(now, bool):
        return [not now]
    if isinstance(now, (int, float)):
        return [now + 1]
    raise KeyError(f"{schema.path}: tests/support/setting_changes.py must say another value of it")


def _at(given: Any, path: str) -> Any:
    for step in path.split("."):
        given = getattr(given, step)
    return given
