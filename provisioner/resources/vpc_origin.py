"""A VPC origin: the connection through which CloudFront reaches an internal load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.field_owners.edge import VPC_ORIGIN
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import CloudFront

# The security group that CloudFront creates in a VPC with its first origin there, and deletes with the last
# (CloudFront developer guide, private-content-vpc-origins).
CLOUDFRONT_GROUP_NAME = "CloudFront-VPCOrigins-Service-SG"
# The ETag is out of date: the retry reads it again.
_STALE = codes("PreconditionFailed", "InvalidIfMatchVersion")
_NO_ORIGINS: JsonObject = {"VpcOriginList": {}}


class VpcOrigin(ResourceType):
    """The VPC origin through which CloudFront reaches one load balancer."""

    service, id_paths, name_property, noun = "cloudfront", "Id", "Name", "origin"
    max_name_length = 64
    pricing = FREE
    ownership = VPC_ORIGIN
    ready = {"Status": "Deployed"}
    # CloudFront API reference, VpcOrigin
    status_classes = (
        StatusClasses(
            "Status", in_lower_case("Deployed"), in_lower_case("Deploying InProgress"), in_lower_case("Failed")
        ),
    )
    # CannotUpdateEntityWhileInUse (botocore cloudfront UpdateVpcOrigin): our distribution always uses the
    # origin.
    change_remedies = dict.fromkeys(
        ("Arn", "HTTPPort", "HTTPSPort", "OriginProtocolPolicy", "OriginSslProtocols"),
        "CloudFront changes no VPC origin that a distribution uses; create a second stack with it, move the clients "
        "there, and tear this one down",
    )
    not_found_codes = codes("EntityNotFound")
    already_exists_codes = codes("EntityAlreadyExists")
    consistency_seconds = 60
    retryable_codes = {"delete": _STALE | codes("CannotDeleteEntityWhileInUse", "IllegalDelete")}
    # terraform-provider-aws cloudfront/vpc_origin.go waits at most 15 min for a creation or deletion.
    typical_create_seconds, typical_delete_seconds, timeout = 240, 240, minutes(30)
    iam_type = "vpcorigin"
    operations = declare_operations(
        read="GetVpcOrigin ListTagsForResource ListVpcOrigins",
        create="CreateVpcOrigin",
        retag="GetVpcOrigin TagResource UntagResource",
        delete="DeleteVpcOrigin GetVpcOrigin",
    )

    def read(self, cloudfront: CloudFront, spec: ResourceSpec) -> JsonObject | None:
        """Read the origin and its tags; find it by its name where its id is not known yet."""
        id_ = spec.id or self._find_id(cloudfront, spec.props["Name"])
        if not id_:
            return None
        actual = cloudfront.get_vpc_origin(Id=id_)["VpcOrigin"]
        tags = read_tags(cloudfront, spec, actual["Arn"], lambda: _list_tags(cloudfront, actual["Arn"]))
        return {**_to_properties(actual), "Tags": tags}

    def _find_id(self, cloudfront: CloudFront, name: str) -> str:
        """Return the id of the VPC origin with this name; "" if there is none."""
        origins = default_if_unsupported(cloudfront.list_vpc_origins, _NO_ORIGINS)["VpcOriginList"].get("Items") or []
        return next((str(origin["Id"]) for origin in origins if origin["Name"] == name), "")

    def create(self, cloudfront: CloudFront, spec: ResourceSpec) -> JsonObject:
        """Create the origin with CreateVpcOrigin."""
        protocols = spec.props["OriginSslProtocols"]["Items"]
        config: Any = {**spec.props, "OriginSslProtocols": {"Quantity": len(protocols), "Items": protocols}}
        reply = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=config, Tags={"Items": pairs(spec.tags)})
        return _to_properties(reply["VpcOrigin"])

    def retag(self, cloudfront: CloudFront, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = cloudfront.get_vpc_origin(Id=spec.id)["VpcOrigin"]["Arn"]
        if put:
            cloudfront.tag_resource(Resource=arn, Tags={"Items": pairs(put)})
        if removed_keys := list(drop):
            cloudfront.untag_resource(Resource=arn, TagKeys={"Items": removed_keys})

    def delete(self, cloudfront: CloudFront, spec: ResourceSpec) -> None:
        """Delete the origin; CloudFront refuses this while a distribution uses it, and it is retried."""
        etag = cloudfront.get_vpc_origin(Id=spec.id)["ETag"]
        cloudfront.delete_vpc_origin(Id=spec.id, IfMatch=etag)


def _to_properties(actual: JsonObject) -> JsonObject:
    """Return the origin's configuration, id and status; `Arn` is the load balancer, `OwnArn` the origin."""
    return {
        **actual["VpcOriginEndpointConfig"],
        "Id": actual["Id"],
        "Status": actual["Status"],
        "OwnArn": actual["Arn"],
    }


def _list_tags(cloudfront: CloudFront, arn: str) -> dict[str, str]:
    return mapping(cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"])
