"""The secret key by which the load balancer recognises requests from CloudFront."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.origin_key import HEADER, NewestKey, NewKey, StoredKeys
from provisioner.resources.secretsmanager import Secret
from provisioner.settings import Settings
from provisioner.steps.keys import Keys


@dataclass(frozen=True)
class OriginKey:
    """The secret with the key, and whether the load balancer requires the key."""

    secret: ResourceHandle
    required: bool
    suffix: str

    def condition(self) -> dict[str, Any]:
        """Return the condition of a listener rule that requires one of the valid keys."""
        keys = StoredKeys(self.secret.id, self.suffix)
        return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": HEADER, "Values": keys}}

    def header(self) -> dict[str, Any]:
        """Return the header with the newest key, which CloudFront adds to every request."""
        return {"HeaderName": HEADER, "HeaderValue": NewestKey(self.secret.id, self.suffix)}


def declare_origin_key(step: Step, settings: Settings, keys: Keys) -> OriginKey | None:
    """Declare the secret, or return None if the guard is off. The state has only a hash of the key."""
    if settings.edge.guard == "off":
        return None
    secret = step(
        Secret,
        "origin-key",
        noun="originkey",
        Description="ml-api key of CloudFront at the load balancer",
        SecretString=NewKey(),
        **keys.secret_encryption(step.stack.region),
    )
    return OriginKey(secret, settings.edge.guard == "require", step.stack.suffix)
