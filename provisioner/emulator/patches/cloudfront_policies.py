"""CloudFront policies: AWS's managed ones of three types, and response headers policies of the account."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.etags import check_etag, new_etag
from provisioner.emulator.wire import Call


@dataclass(frozen=True)
class Kind:
    """A type of CloudFront policy: its name in the API and in messages, and AWS's managed policies by id."""

    name: str
    words: str
    managed: dict[str, str] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """The member of a cache behaviour that holds the id of a policy of this type."""
        return f"{self.name}Id"

    @property
    def missing(self) -> str:
        """AWS's error code for a policy of this type that does not exist."""
        return f"NoSuch{self.name}"


# AWS doc, CloudFront: using managed cache, origin request and response headers policies.
KINDS = {
    "CachePolicy": Kind(
        "CachePolicy",
        "cache policy",
        {
            "658327ea-f89d-4fab-a63d-7e88639e58f6": "Managed-CachingOptimized",
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": "Managed-CachingOptimizedForUncompressedObjects",
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "Managed-CachingDisabled",
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65": "UseOriginCacheControlHeaders",
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe": "UseOriginCacheControlHeaders-QueryStrings",
        },
    ),
    "OriginRequestPolicy": Kind(
        "OriginRequestPolicy",
        "origin request policy",
        {
            "216adef6-5c7f-47e4-b989-5492eafa07d3": "Managed-AllViewer",
            "b689b0a8-53d0-40ab-baf2-68738e2966ac": "Managed-AllViewerExceptHostHeader",
            "33f36d7e-f396-46d9-90e0-52428a34d9dc": "Managed-AllViewerAndCloudFrontHeaders-2022-06",
            "59781a5b-3903-41f3-afcb-af62929ccde1": "Managed-CORS-CustomOrigin",
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": "Managed-CORS-S3Origin",
        },
    ),
    "ResponseHeadersPolicy": Kind(
        "ResponseHeadersPolicy",
        "response headers policy",
        {
            "67f7725c-6f97-4210-82d7-5512b31e9d03": "Managed-SecurityHeadersPolicy",
            "60669652-455b-4ae9-85a4-c4c02393f86c": "Managed-SimpleCORS",
            "5cc3b908-e619-4b99-88e5-2cf7f45965bd": "Managed-CORS-With-Preflight",
            "e61eb60c-9c35-4d20-a928-2b84e02af89c": "Managed-CORS-and-SecurityHeadersPolicy",
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63": ("Managed-CORS-with-preflight-and-SecurityHeadersPolicy"),
        },
    ),
}
HEADERS = KINDS["ResponseHeadersPolicy"]


@dataclass
class Policy:
    """A response headers policy that the account created."""

    config: dict[str, Any]
    etag: str = field(default_factory=new_etag)
    id: str = field(default_factory=lambda: str(uuid4()))


_own: AccountStore[Policy] = AccountStore()


def _policies(call: Call) -> dict[str, Policy]:
    """Return the response headers policies that the account created, by id."""
    return _own.at(call.account, "global")


def known(call: Call, kind: Kind, name: str) -> bool:
    """Return whether a policy of this type and id exists, managed or created."""
    return name in kind.managed or (kind is HEADERS and name in _policies(call))


def _policy_view(kind: Kind, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return a policy as a reply describes it."""
    now = datetime.fromtimestamp(clock.now(), UTC)
    return {"Id": name, "LastModifiedTime": now, f"{kind.name}Config": copy.deepcopy(config)}


def _managed(kind: Kind, name: str) -> dict[str, Any]:
    """Return a managed policy as a reply describes it; apart from the name, its config is a placeholder."""
    config: dict[str, Any] = {"Name": kind.managed[name], "Comment": "", "MinTTL": 0}
    config |= {"HeadersConfig": {"HeaderBehavior": "none"}, "CookiesConfig": {"CookieBehavior": "none"}}
    config["QueryStringsConfig"] = {"QueryStringBehavior": "none"}
    return _policy_view(kind, name, config)


@always.before("cloudfront", *(f"Get{kind}" for kind in KINDS))
def get(call: Call) -> Reply | None:
    """Answer with a policy, managed or created, and its ETag."""
    kind = KINDS[call.operation.removeprefix("Get")]
    name = call.params["Id"]
    if name in kind.managed:
        return {kind.name: _managed(kind, name), "ETag": "E23ZP02F085DFQ"}
    policy = _named_policy(call, kind)
    return {kind.name: _policy_view(kind, policy.id, policy.config), "ETag": policy.etag}


def _named_policy(call: Call, kind: Kind = HEADERS) -> Policy:
    """Return the created policy that a call names, or raise AWS's error if there is none."""
    name = call.params["Id"]
    if kind is not HEADERS or name not in _policies(call):
        raise AwsError(kind.missing, f"The specified {kind.words} does not exist.", 404)
    return _policies(call)[name]


@always.before("cloudfront", "ListCachePolicies", "ListOriginRequestPolicies", "ListResponseHeadersPolicies")
def list_policies(call: Call) -> Reply | None:
    """List the managed policies, the created ones, or both, as `Type` asks."""
    kind = KINDS[call.operation.removeprefix("List").removesuffix("ies") + "y"]
    requested_type = call.params.get("Type")
    items = [{"Type": "managed", kind.name: _managed(kind, name)} for name in kind.managed]
    if kind is HEADERS:
        created = _policies(call).values()
        items += [{"Type": "custom", kind.name: _policy_view(kind, p.id, p.config)} for p in created]
    items = [item for item in items if requested_type in (None, item["Type"])]
    return {f"{kind.name}List": {"MaxItems": 100, "Quantity": len(items), "Items": items}}


@always.before("cloudfront", "GetResponseHeadersPolicyConfig")
def get_config(call: Call) -> Reply | None:
    """Answer with a policy's config and ETag, to be edited and sent back."""
    policy = _named_policy(call)
    return {"ResponseHeadersPolicyConfig": copy.deepcopy(policy.config), "ETag": policy.etag}


@always.before("cloudfront", "CreateResponseHeadersPolicy")
def create(call: Call) -> Reply | None:
    """Create a response headers policy; refuse a name that is taken (botocore ServiceModel)."""
    config = call.params["ResponseHeadersPolicyConfig"]
    _refuse_taken(call, config["Name"], "")
    policy = Policy(config)
    _policies(call)[policy.id] = policy
    location = f"https://cloudfront.amazonaws.com/2020-05-31/response-headers-policy/{policy.id}"
    view = _policy_view(HEADERS, policy.id, config)
    return {"ResponseHeadersPolicy": view, "ETag": policy.etag, "Location": location}


def _refuse_taken(call: Call, name: str, own: str) -> None:
    """Refuse a name that a policy other than `own` has; `own` is the id of the updated policy, or empty."""
    if any(policy.config["Name"] == name and policy.id != own for policy in _policies(call).values()):
        message = "A response headers policy with this name already exists in this account."
        raise AwsError("ResponseHeadersPolicyAlreadyExists", message, 409)


@always.before("cloudfront", "UpdateResponseHeadersPolicy")
def update(call: Call) -> Reply | None:
    """Replace a policy's config if the call has its newest ETag."""
    policy = _named_policy(call)
    check_etag(call, policy.etag)
    _refuse_taken(call, call.params["ResponseHeadersPolicyConfig"]["Name"], policy.id)
    policy.config = call.params["ResponseHeadersPolicyConfig"]
    policy.etag = new_etag()
    return {"ResponseHeadersPolicy": _policy_view(HEADERS, policy.id, policy.config), "ETag": policy.etag}


@always.before("cloudfront", "DeleteResponseHeadersPolicy")
def delete(call: Call) -> Reply | None:
    """Delete a policy that no distribution uses (botocore ServiceModel, ResponseHeadersPolicyInUse)."""
    policy = _named_policy(call)
    check_etag(call, policy.etag)
    for distribution in backend("cloudfront", call.account, "aws").distributions.values():
        config = distribution.distribution_config
        behaviours = [config.DefaultCacheBehavior, *config.CacheBehaviors.get("Items", [])]
        if any(getattr(b, "response_headers_policy_id", None) == policy.id for b in behaviours):
            message = "Cannot delete the response headers policy because it is attached to one or more cache"
            raise AwsError("ResponseHeadersPolicyInUse", f"{message} behaviors.", 409)
    del _policies(call)[policy.id]
    return {}
