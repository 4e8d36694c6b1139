"""CloudFront VPC origins, which moto lacks: one per load balancer, guarded by ETags, kept while in use."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.cloudfront_distributions import existing_configs
from provisioner.emulator.patches.etags import check_etag, new_etag
from provisioner.emulator.wire import Call


@dataclass
class Origin:
    """A VPC origin of an account."""

    config: dict[str, Any]
    tags: dict[str, str]
    account: str
    status: str = "Deployed"
    etag: str = field(default_factory=new_etag)
    id: str = field(default_factory=lambda: f"vo_{uuid4().hex[:22]}")
    created_at: float = field(default_factory=clock.now)

    @property
    def arn(self) -> str:
        """The ARN of the VPC origin, which is not that of its load balancer."""
        return f"arn:aws:cloudfront::{self.account}:vpcorigin/{self.id}"

    def describe(self) -> dict[str, Any]:
        """Return the VPC origin as GetVpcOrigin describes it."""
        created = datetime.fromtimestamp(self.created_at, UTC)
        identity = {"Id": self.id, "Arn": self.arn, "AccountId": self.account, "Status": self.status}
        config = copy.deepcopy(self.config)
        return {**identity, "CreatedTime": created, "LastModifiedTime": created, "VpcOriginEndpointConfig": config}


_origins: AccountStore[Origin] = AccountStore()


def origins(account: str) -> dict[str, Origin]:
    """Return all VPC origins of an account, by id."""
    return _origins.at(account, "global")


def balancer_of(call: Call, arn: str) -> Any:
    """Return moto's load balancer with this ARN, whatever its region; None where there is none."""
    _, _, service, region, *_ = [*arn.split(":"), "", "", "", ""]
    is_balancer = service == "elasticloadbalancing"
    return backend("elbv2", call.account, region).load_balancers.get(arn) if is_balancer else None


@always.before("cloudfront", "CreateVpcOrigin")
def create(call: Call) -> Reply | None:
    """Create a VPC origin for an active load balancer; refuse a name or a load balancer that is taken."""
    config = call.params["VpcOriginEndpointConfig"]
    balancer = balancer_of(call, config["Arn"])
    if balancer is None or balancer.state != "active":
        raise AwsError("InvalidArgument", "The specified resource isn't valid, or isn't active.")
    for existing in origins(call.account).values():
        if config["Name"] == existing.config["Name"] or config["Arn"] == existing.config["Arn"]:
            raise AwsError("EntityAlreadyExists", "The entity already exists.", 409)
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags", {}).get("Items", [])}
    origin = Origin({"IpAddressType": "ipv4", **config}, tags, call.account)
    origins(call.account)[origin.id] = origin
    location = f"https://cloudfront.amazonaws.com/2020-05-31/vpc-origin/{origin.id}"
    return {"VpcOrigin": origin.describe(), "ETag": origin.etag, "Location": location}


def named_origin(call: Call) -> Origin:
    """Return the VPC origin that a call names.

    Raises:
        AwsError: EntityNotFound, where there is none.

    """
    origin = origins(call.account).get(call.params["Id"])
    if origin is None:
        raise AwsError("EntityNotFound", "The specified VPC origin does not exist.", 404)
    return origin


@always.before("cloudfront", "GetVpcOrigin")
def get(call: Call) -> Reply | None:
    """Answer with a VPC origin and its ETag."""
    origin = named_origin(call)
    return {"VpcOrigin": origin.describe(), "ETag": origin.etag}


@always.before("cloudfront", "ListVpcOrigins")
def list_all(call: Call) -> Reply | None:
    """List all VPC origins, each with its name and the ARN of its load balancer."""
    items = [
        {
            **{key: value for key, value in origin.describe().items() if key != "VpcOriginEndpointConfig"},
            "Name": origin.config["Name"],
            "OriginEndpointArn": origin.config["Arn"],
        }
        for origin in origins(call.account).values()
    ]
    listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items}
    return {"VpcOriginList": listed}


@always.before("cloudfront", "UpdateVpcOrigin")
def update(call: Call) -> Reply | None:
    """Update a VPC origin that no distribution uses (botocore ServiceModel, CannotUpdateEntityWhileInUse)."""
    origin = named_origin(call)
    check_etag(call, origin.etag)
    _refuse_used(call, "Update")
    origin.config |= call.params["VpcOriginEndpointConfig"]
    origin.etag = new_etag()
    return {"VpcOrigin": origin.describe(), "ETag": origin.etag}


@always.before("cloudfront", "DeleteVpcOrigin")
def delete(call: Call) -> Reply | None:
    """Delete a VPC origin that no distribution uses (botocore ServiceModel, CannotDeleteEntityWhileInUse)."""
    origin = named_origin(call)
    check_etag(call, origin.etag)
    _refuse_used(call, "Delete")
    del origins(call.account)[origin.id]
    return {"VpcOrigin": origin.describe(), "ETag": origin.etag}


def _refuse_used(call: Call, verb: str) -> None:
    """Refuse an update or delete (`verb`) of a VPC origin that a distribution uses."""
    if call.params["Id"] in set(_used_origins(existing_configs(call.account))):
        message = f"Cannot {verb.lower()} the entity while it is in use."
        raise AwsError(f"Cannot{verb}EntityWhileInUse", message, 409)


def _used_origins(configs: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Yield the ids of the VPC origins that distribution configs name."""
    for config in configs:
        for origin in config["Origins"].get("Items", []):
            if within := origin.get("VpcOriginConfig"):
                yield within["VpcOriginId"]


@always.before("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
def refuse_missing_origin(call: Call) -> None:
    """Refuse a distribution whose VPC origin does not exist (botocore ServiceModel, EntityNotFound)."""
    whole = call.params.get("DistributionConfigWithTags", {})
    config = call.params.get("DistributionConfig") or whole["DistributionConfig"]
    if missing := set(_used_origins([config])) - origins(call.account).keys():
        raise AwsError("EntityNotFound", f"The VPC origin {min(missing)} does not exist.", 404)


@always.before("cloudfront", "ListTagsForResource", "TagResource", "UntagResource")
def tags(call: Call) -> Reply | None:
    """List or change the tags of a VPC origin; leave the tags of distributions to moto."""
    origin = next((each for each in origins(call.account).values() if each.arn == call.params["Resource"]), None)
    if origin is None:
        return None
    if call.operation == "TagResource":
        origin.tags |= {tag["Key"]: tag["Value"] for tag in call.params["Tags"]["Items"]}
    for key in call.params.get("TagKeys", {}).get("Items", []):
        origin.tags.pop(key, None)
    listed = [{"Key": key, "Value": value} for key, value in origin.tags.items()]
    return {"Tags": {"Items": listed}} if call.operation == "ListTagsForResource" else {}
