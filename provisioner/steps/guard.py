"""The key with which CloudFront shows the load balancer who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.origin_key import HEADER, NewestKey, NewKey, StoredKeys
from provisioner.kinds.secretsmanager import Secret
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class Guard:
    """The secret that holds the key, and whether the balancer asks for it."""

    secret: Handle
    required: bool
    suffix: str

    def condition(self) -> dict[str, Any]:
        """What a listener rule asks for: one of the keys."""
        keys = StoredKeys(self.secret.id, self.suffix)
        return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": HEADER, "Values": keys}}

    def header(self) -> dict[str, Any]:
        """What CloudFront adds to every request: the newest key."""
        return {"HeaderName": HEADER, "HeaderValue": NewestKey(self.secret.id, self.suffix)}


def guard(up: Piece, s: Settings, keys: Keys) -> Guard | None:
    """A secret of the stack; nothing of its value is written down anywhere else."""
    if s.edge.guard == "off":
        return None
    secret = up(
        Secret,
        "origin-key",
        noun="originkey",
        Description="ml-api key of CloudFront at the load balancer",
        SecretString=NewKey(),
        **keys.secret(up.stack.region),
    )
    return Guard(secret, s.edge.guard == "require", up.stack.suffix)
