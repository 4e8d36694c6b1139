"""The key that CloudFront shows and the balancer asks for: made once, kept in Secrets Manager alone.

While it is being changed the secret has two stages, AWSCURRENT and AWSPENDING: the balancer takes both keys,
CloudFront shows the pending one. What is written down of a key is a salted hash.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from provisioner.engine.refs import Doc, Lookup, Ref, Sealed, Unknown, Veiled

# What a change of the key asks besides what the stack's own kinds do: `policy` grants it.
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
_BYTES = 32


def new_key() -> str:
    """32 random bytes as hex."""
    return secrets.token_hex(_BYTES)


def told(key: str, suffix: str) -> str:
    """What may be written down of a key: the same for the same key and stack, and no way back."""
    return "sha256:" + hashlib.sha256(f"{HEADER}/{suffix}/{key}".encode()).hexdigest()[:16]


@dataclass(frozen=True, repr=False)
class NewKey(Veiled):
    """The first value of the secret."""

    def reveal(self, aws: Any, lookup: Lookup) -> str:
        """A new one each time: it is asked for only where there is no secret."""
        return new_key()


@dataclass(frozen=True, repr=False)
class StoredKeys(Veiled):
    """The keys that the balancer takes: the one in use, and the one that is about to be."""

    calls = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
    secret: Ref
    suffix: str

    def refs(self) -> Iterator[Ref]:
        """The secret's ARN."""
        yield self.secret

    def sealed(self, aws: Any, lookup: Lookup) -> Any:
        """Each key, told by its hash; the veil itself while the secret is not there, or is to come back."""
        arn = lookup(self.secret)
        if isinstance(arn, Unknown):
            return self
        keys = stages(aws.client("secretsmanager"), arn)
        return [Sealed(key, told(key, self.suffix)) for key in dict.fromkeys(keys.values())] or self

    def reveal(self, aws: Any, lookup: Lookup) -> Any:
        """The keys themselves."""
        keys = stages(aws.client("secretsmanager"), lookup(self.secret))
        return list(dict.fromkeys(keys.values()))


@dataclass(frozen=True, repr=False)
class NewestKey(StoredKeys):
    """The key that CloudFront shows."""

    def sealed(self, aws: Any, lookup: Lookup) -> Any:
        """The newest key, told by its hash."""
        keys = super().sealed(aws, lookup)
        return keys[-1] if isinstance(keys, list) else self

    def reveal(self, aws: Any, lookup: Lookup) -> Any:
        """The newest key itself."""
        return super().reveal(aws, lookup)[-1]


def stages(client: Any, arn: str) -> dict[str, str]:
    """The key in use, and behind it the pending one where there is one."""
    doc = client.describe_secret(SecretId=arn)
    # One in its recovery window tells no value (API reference, GetSecretValue: InvalidRequestException).
    listed = {} if doc.get("DeletedDate") else doc.get("VersionIdsToStages", {})
    there = [stage for stage in (CURRENT, PENDING) if any(stage in found for found in listed.values())]
    return {
        stage: client.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"] for stage in there
    }


def is_key(condition: Doc) -> bool:
    """Whether a condition of a listener rule asks for the key."""
    return (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName") == HEADER


def asked(conditions: list[Doc]) -> list[str]:
    """What may be told of the keys of which a rule asks for one; empty where it asks for none."""
    return [str(key) for one in conditions if is_key(one) for key in _values(one)]


def _values(condition: Doc) -> Iterator[Any]:
    listed = condition["HttpHeaderConfig"].get("Values") or []
    yield from listed if isinstance(listed, list) else [listed]


def shown(origins: Doc) -> Iterator[str]:
    """What may be told of the keys that a distribution shows."""
    for origin in origins.get("Items") or []:
        for header in (origin.get("CustomHeaders") or {}).get("Items") or []:
            if header["HeaderName"] == HEADER:
                yield str(header["HeaderValue"])


def not_yet(wanted: list[Doc], seen: list[Doc], led: Set[str]) -> bool:
    """Whether a rule is to ask for a key that it does not ask for yet, and CloudFront does not show yet."""
    keys = asked(wanted)
    return bool(keys) and not asked(seen) and not led & set(keys)


def veiled_rule(rule: Doc, suffix: str) -> Doc:
    """A listener rule as AWS tells it, with the hash in each key's place."""
    conditions = [_veiled(one, suffix) if is_key(one) else one for one in rule.get("Conditions", [])]
    return {**rule, "Conditions": conditions}


def _veiled(condition: Doc, suffix: str) -> Doc:
    header = condition["HttpHeaderConfig"]
    hashed = [told(key, suffix) for key in header["Values"]]
    return {"Field": condition["Field"], "HttpHeaderConfig": {**header, "Values": hashed}}


def veiled_origins(origins: Doc, suffix: str) -> Doc:
    """A distribution's origins as AWS tells them, with the hash in each key's place."""
    hidden = []
    for origin in origins.get("Items") or []:
        headers = (origin.get("CustomHeaders") or {}).get("Items") or []
        items = [
            {**one, "HeaderValue": told(one["HeaderValue"], suffix)} if one["HeaderName"] == HEADER else one
            for one in headers
        ]
        hidden.append({**origin, "CustomHeaders": {"Quantity": len(items), "Items": items}})
    return {**origins, "Items": hidden}
