"""The secret key that CloudFront sends to the load balancer, which refuses requests without it.

The key is generated once, and kept only in Secrets Manager. While it is being changed, the secret has two
stages, AWSCURRENT and AWSPENDING: the load balancer accepts both keys, and CloudFront sends the pending one.
The state has only a salted hash of a key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import (
    FingerprintedSecret,
    JsonObject,
    Lookup,
    Ref,
    SecretValue,
    Unknown,
)
from provisioner.service_clients import SecretsManager

# The AWS operations of a change of the key, besides those of the stack's resource types: `policy` grants
# them.
CALLS = {
    "secretsmanager": (
        "DescribeSecret ml-api-originkey-{suffix}/header-??????",
        "GetSecretValue ml-api-originkey-{suffix}/header-??????",
        "PutSecretValue ml-api-originkey-{suffix}/header-??????",
        "UpdateSecretVersionStage ml-api-originkey-{suffix}/header-??????",
    )
}
HEADER = "X-Origin-Key"
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
_KEY_BYTES = 32


def generate_key() -> str:
    """Return 32 random bytes as hex."""
    return secrets.token_hex(_KEY_BYTES)


def key_hash(key: str, suffix: str) -> str:
    """Return the hash by which a key is shown and recorded: the same for the same key and stack."""
    return "sha256:" + hashlib.sha256(f"{HEADER}/{suffix}/{key}".encode()).hexdigest()[:16]


@dataclass(frozen=True, repr=False)
class NewKey(SecretValue):
    """A new random key, the first value of the secret."""

    def reveal(self, clients: Clients, lookup: Lookup) -> str:
        """Return another key each time; it is called only where the secret does not exist yet."""
        return generate_key()


@dataclass(frozen=True, repr=False)
class StoredKeys(SecretValue):
    """The keys that the load balancer accepts: the current one, and the pending one during a change."""

    operations = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
    secret: Ref
    suffix: str

    def refs(self) -> Iterator[Ref]:
        """Yield the reference to the secret's ARN."""
        yield self.secret

    def fingerprinted(self, clients: Clients, lookup: Lookup) -> Any:
        """Return the keys in a form that is compared and recorded by hash.

        Return the object itself while no key can be read: the secret does not exist, or is to be restored.
        """
        arn = lookup(self.secret)
        if isinstance(arn, Unknown):
            return self
        keys = read_keys(clients.client(SecretsManager), arn)
        return [FingerprintedSecret(key, key_hash(key, self.suffix)) for key in dict.fromkeys(keys.values())] or self

    def reveal(self, clients: Clients, lookup: Lookup) -> Any:
        """Return the keys themselves, as a list."""
        keys = read_keys(clients.client(SecretsManager), lookup(self.secret))
        return list(dict.fromkeys(keys.values()))


@dataclass(frozen=True, repr=False)
class NewestKey(StoredKeys):
    """The key that CloudFront sends: the pending one during a change, else the current one."""

    def fingerprinted(self, clients: Clients, lookup: Lookup) -> Any:
        """Return the newest key, compared and recorded by hash; the object itself while no key can be read."""
        keys = super().fingerprinted(clients, lookup)
        return keys[-1] if isinstance(keys, list) else self

    def reveal(self, clients: Clients, lookup: Lookup) -> Any:
        """Return the newest key itself."""
        return super().reveal(clients, lookup)[-1]


def read_keys(secrets: SecretsManager, arn: str) -> dict[str, str]:
    """Return the key of each stage that the secret has: the current one, then the pending one."""
    actual = secrets.describe_secret(SecretId=arn)
    # The value of a secret in its recovery window cannot be read (API reference, GetSecretValue:
    # InvalidRequestException).
    versions = {} if actual.get("DeletedDate") else actual.get("VersionIdsToStages", {})
    existing = {stage for version_stages in versions.values() for stage in version_stages}
    return {
        stage: secrets.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"]
        for stage in (CURRENT, PENDING)
        if stage in existing
    }


def requires_key(condition: JsonObject) -> bool:
    """Return whether a condition of a listener rule requires the key."""
    return (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName") == HEADER


def required_key_hashes(conditions: list[JsonObject]) -> list[str]:
    """Return the hashes of the keys that a listener rule accepts; empty if the rule requires no key."""
    return [str(key) for condition in conditions if requires_key(condition) for key in _header_values(condition)]


def _header_values(condition: JsonObject) -> Iterator[Any]:
    """Yield the values that the condition allows: those of a list, or one object that stands for all keys."""
    values = condition["HttpHeaderConfig"].get("Values") or []
    yield from values if isinstance(values, list) else [values]


def sent_key_hashes(origins: JsonObject) -> Iterator[str]:
    """Yield the hashes of the keys that a distribution sends."""
    for origin in origins.get("Items") or []:
        for header in (origin.get("CustomHeaders") or {}).get("Items") or []:
            if header["HeaderName"] == HEADER:
                yield str(header["HeaderValue"])


def is_too_early_for_key(desired: list[JsonObject], actual: list[JsonObject], serving: Set[str]) -> bool:
    """Return whether a rule must not require the key yet, because CloudFront does not send it yet.

    A rule that requires a key already is never too early.

    Args:
        desired: The desired conditions of the rule, keys as hashes.
        actual: The actual conditions of the rule.
        serving: The ids of what gets requests now, and the hashes of the keys that CloudFront sends now.

    """
    keys = required_key_hashes(desired)
    return bool(keys) and not required_key_hashes(actual) and not serving & set(keys)


def redact_rule(rule: JsonObject, suffix: str) -> JsonObject:
    """Return a listener rule as AWS describes it, each key replaced by its hash."""
    return {**rule, "Conditions": [_redact_condition(condition, suffix) for condition in rule.get("Conditions", [])]}


def _redact_condition(condition: JsonObject, suffix: str) -> JsonObject:
    """Return a condition with each key replaced by its hash; one that requires no key as it is."""
    if not requires_key(condition):
        return condition
    header = condition["HttpHeaderConfig"]
    hashed = [key_hash(key, suffix) for key in header["Values"]]
    return {"Field": condition["Field"], "HttpHeaderConfig": {**header, "Values": hashed}}


def redact_origins(origins: JsonObject, suffix: str) -> JsonObject:
    """Return a distribution's origins as AWS describes them, each key replaced by its hash."""
    redacted = []
    for origin in origins.get("Items") or []:
        headers = (origin.get("CustomHeaders") or {}).get("Items") or []
        items = [_redact_header(header, suffix) for header in headers]
        redacted.append({**origin, "CustomHeaders": {"Quantity": len(items), "Items": items}})
    return {**origins, "Items": redacted}


def _redact_header(header: JsonObject, suffix: str) -> JsonObject:
    """Return a header of an origin; the key in it is replaced by its hash."""
    is_key = header["HeaderName"] == HEADER
    return {**header, "HeaderValue": key_hash(header["HeaderValue"], suffix)} if is_key else header
