"""The internet gateway and its attachment to the VPC."""

from __future__ import annotations

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.ec2.base import Ec2ResourceType, Filters, equals_filters, stack_filters
from provisioner.resources.ec2.network_interfaces import OPERATIONS, interface_blockers
from provisioner.resources.field_owners.ec2 import ATTACHMENT, INTERNET_GATEWAY
from provisioner.service_clients import EC2

GATEWAY_NOT_FOUND = codes("InvalidInternetGatewayID.NotFound", "InvalidInternetGateway.NotFound")


class InternetGateway(Ec2ResourceType):
    """An internet gateway. Its attachment to the VPC is a resource of its own."""

    deleted_at_reply = True
    ownership = INTERNET_GATEWAY
    pricing = FREE
    noun, iam_type, id_paths, id_filter = "igw", "internet-gateway", "InternetGatewayId", "internet-gateway-id"
    not_found_codes = GATEWAY_NOT_FOUND
    retryable_codes = {"delete": codes("DependencyViolation")}
    timeout = minutes(20)
    operations = declare_operations(
        read="DescribeInternetGateways", create="CreateInternetGateway", delete="DeleteInternetGateway"
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the gateways that pass the filters (DescribeInternetGateways)."""
        return list(ec2.describe_internet_gateways(Filters=filters)["InternetGateways"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the gateway (CreateInternetGateway)."""
        reply = ec2.create_internet_gateway(TagSpecifications=self.tag_specifications(spec))
        return dict(reply["InternetGateway"])

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the gateway (DeleteInternetGateway)."""
        ec2.delete_internet_gateway(InternetGatewayId=spec.id)


class GatewayAttachment(ResourceType):
    """The attachment of an internet gateway to a VPC."""

    container_property = "InternetGatewayId"
    deleted_at_reply = True
    service, id_paths = "ec2", ("InternetGatewayId", "VpcId")
    pricing = FREE
    ownership = ATTACHMENT
    tagged = False
    unique_properties = ("VpcId",)
    lookup_properties = ("InternetGatewayId", "VpcId")
    # The API returns `available` for an attached gateway, not `attached`.
    ready = {"State": frozenset({"available", "attached"})}
    # botocore ec2 AttachmentStatus
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("available attached"),
            in_lower_case("attaching"),
            gone=in_lower_case("detaching detached"),
        ),
    )
    not_found_codes = GATEWAY_NOT_FOUND | codes("Gateway.NotAttached")
    already_exists_codes = codes("Resource.AlreadyAssociated")
    # "Network vpc-... has some mapped public address(es)": an address is unmapped 5 to 10 min after its owner
    # has ended.
    retryable_codes = {"delete": codes("DependencyViolation")}
    timeout = minutes(40)
    operations = declare_operations(
        read="DescribeInternetGateways",
        create="AttachInternetGateway",
        delete="DetachInternetGateway",
        blockers=OPERATIONS,
    )

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the attachment, which DescribeInternetGateways lists with its gateway.

        The stack's gateways are searched first, then the gateway by its id.
        """
        gateway, vpc = spec.props["InternetGatewayId"], spec.props["VpcId"]
        for filters in (stack_filters(ec2, spec), equals_filters({"internet-gateway-id": gateway})):
            for actual in ec2.describe_internet_gateways(Filters=filters)["InternetGateways"]:
                if actual["InternetGatewayId"] == gateway:
                    return _attachment_to(vpc, actual)
        return None

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Attach the gateway to the VPC (AttachInternetGateway)."""
        ec2.attach_internet_gateway(**spec.props)
        return dict(spec.props)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Detach the gateway from the VPC (DetachInternetGateway)."""
        ec2.detach_internet_gateway(**spec.props)

    def blockers(self, ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
        """Return the network interfaces in the VPC: while they have public addresses, AWS refuses to detach."""
        return interface_blockers(ec2, {"vpc-id": spec.props["VpcId"]}, spec.suffix)


def _attachment_to(vpc: str, gateway: JsonObject) -> JsonObject | None:
    """Return the attachment of a described gateway to a VPC, or None if it is not attached to it."""
    attachments = (each for each in gateway.get("Attachments", []) if each["VpcId"] == vpc)
    return next(({"InternetGatewayId": gateway["InternetGatewayId"], **each} for each in attachments), None)
