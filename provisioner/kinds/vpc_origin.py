"""A VPC origin: CloudFront's own way into a VPC, to a balancer that the internet does not reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.faults import unless_unknown
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.edge import VPC_ORIGIN
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

# The security group that CloudFront makes in a VPC with its first origin there, and deletes with the last
# (CloudFront developer guide, private-content-vpc-origins).
AMAZONS_GROUP = "CloudFront-VPCOrigins-Service-SG"
# A stale ETag is read anew.
_STALE = codes("PreconditionFailed", "InvalidIfMatchVersion")
_NONE: Doc = {"VpcOriginList": {}}


class VpcOrigin(Kind):
    """One balancer, as CloudFront calls it."""

    service, key, named, noun = "cloudfront", "Id", "Name", "origin"
    members = VPC_ORIGIN
    ready = {"Status": "Deployed"}
    # CloudFront API reference, VpcOrigin
    states = (States("Status", words("Deployed"), words("Deploying InProgress"), words("Failed")),)
    # CannotUpdateEntityWhileInUse (botocore cloudfront UpdateVpcOrigin): a distribution always uses it.
    ways_out = dict.fromkeys(
        ("Arn", "HTTPPort", "HTTPSPort", "OriginProtocolPolicy", "OriginSslProtocols"),
        "CloudFront changes none that a distribution uses; bring up a second stack with it, lead the clients "
        "there, and take this one down",
    )
    absent = codes("EntityNotFound")
    duplicate = codes("EntityAlreadyExists")
    visible_within = 60
    transient = {"delete": _STALE | codes("CannotDeleteEntityWhileInUse", "IllegalDelete")}
    # Provider ceiling 15 min each way (terraform-provider-aws cloudfront/vpc_origin.go).
    takes, takes_to_go, patience = 240, 240, minutes(30)
    resource = "vpcorigin"
    calls = calling(
        read="GetVpcOrigin ListTagsForResource ListVpcOrigins",
        create="CreateVpcOrigin",
        retag="GetVpcOrigin TagResource UntagResource",
        delete="DeleteVpcOrigin GetVpcOrigin",
    )

    def read(self, cloudfront: Any, it: Item) -> Doc | None:
        """GetVpcOrigin by id, else the one of the list with our name; and its tags."""
        id_ = it.id or self._listed(cloudfront, it.props["Name"])
        if not id_:
            return None
        doc = cloudfront.get_vpc_origin(Id=id_)["VpcOrigin"]
        tags = tags_told(cloudfront, it, doc["Arn"], lambda: _tags(cloudfront, doc["Arn"]))
        return {**_told(doc), "Tags": tags}

    def _listed(self, cloudfront: Any, name: str) -> str:
        def ask() -> Doc:
            return dict(cloudfront.list_vpc_origins())

        listed = unless_unknown(ask, _NONE)["VpcOriginList"].get("Items") or []
        return next((str(one["Id"]) for one in listed if one["Name"] == name), "")

    def create(self, cloudfront: Any, it: Item) -> Doc:
        """CreateVpcOrigin."""
        protocols = it.props["OriginSslProtocols"]["Items"]
        config = {**it.props, "OriginSslProtocols": {"Quantity": len(protocols), "Items": protocols}}
        made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=config, Tags={"Items": pairs(it.tags)})
        return _told(made["VpcOrigin"])

    def retag(self, cloudfront: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """TagResource, UntagResource."""
        arn = cloudfront.get_vpc_origin(Id=it.id)["VpcOrigin"]["Arn"]
        if put:
            cloudfront.tag_resource(Resource=arn, Tags={"Items": pairs(put)})
        if gone := list(drop):
            cloudfront.untag_resource(Resource=arn, TagKeys={"Items": gone})

    def delete(self, cloudfront: Any, it: Item) -> None:
        """DeleteVpcOrigin, which waits for the distribution to be gone."""
        etag = cloudfront.get_vpc_origin(Id=it.id)["ETag"]
        cloudfront.delete_vpc_origin(Id=it.id, IfMatch=etag)


def _told(doc: Doc) -> Doc:
    """What is asked of it, and what AWS calls it; its own ARN is not its balancer's."""
    return {**doc["VpcOriginEndpointConfig"], "Id": doc["Id"], "Status": doc["Status"], "OwnArn": doc["Arn"]}


def _tags(cloudfront: Any, arn: str) -> dict[str, str]:
    return mapping(cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"])
