"""The internet gateway and its attachment to the VPC."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.interfaces import ASKED, interfaces
from provisioner.kinds.ec2.tagged import Ec2, Filters, of_stack, where
from provisioner.kinds.members.ec2 import ATTACHMENT, INTERNET_GATEWAY

NO_GATEWAY = codes("InvalidInternetGatewayID.NotFound", "InvalidInternetGateway.NotFound")


class InternetGateway(Ec2):
    """An internet gateway. Its attachment to the VPC is a resource of its own."""

    members = INTERNET_GATEWAY
    noun, resource, key, id_filter = "igw", "internet-gateway", "InternetGatewayId", "internet-gateway-id"
    absent = NO_GATEWAY
    transient = {"delete": codes("DependencyViolation")}
    patience = minutes(20)
    calls = calling(read="DescribeInternetGateways", create="CreateInternetGateway", delete="DeleteInternetGateway")

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the gateways that pass the filters (DescribeInternetGateways)."""
        return list(ec2.describe_internet_gateways(Filters=filters)["InternetGateways"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the gateway (CreateInternetGateway)."""
        made = ec2.create_internet_gateway(TagSpecifications=self.specification(spec))
        return dict(made["InternetGateway"])

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the gateway (DeleteInternetGateway)."""
        ec2.delete_internet_gateway(InternetGatewayId=spec.id)


class GatewayAttachment(Kind):
    """The attachment of an internet gateway to a VPC."""

    service, key = "ec2", ("InternetGatewayId", "VpcId")
    members = ATTACHMENT
    tagged = False
    claims = ("VpcId",)
    within = ("InternetGatewayId", "VpcId")
    # The API returns `available` for an attached gateway, not `attached`.
    ready = {"State": frozenset({"available", "attached"})}
    # botocore ec2 AttachmentStatus
    states = (States("State", words("available attached"), words("attaching"), gone=words("detaching detached")),)
    absent = NO_GATEWAY | codes("Gateway.NotAttached")
    duplicate = codes("Resource.AlreadyAssociated")
    # "Network vpc-... has some mapped public address(es)": an address is unmapped 5 to 10 min after its owner
    # has ended.
    transient = {"delete": codes("DependencyViolation")}
    patience = minutes(40)
    calls = calling(
        read="DescribeInternetGateways",
        create="AttachInternetGateway",
        delete="DetachInternetGateway",
        holders=ASKED,
    )

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the attachment, which DescribeInternetGateways lists with its gateway.

        The stack's gateways are looked at first, then the gateway by its id.
        """
        gateway, vpc = spec.props["InternetGatewayId"], spec.props["VpcId"]
        for filters in (of_stack(ec2, spec), where({"internet-gateway-id": gateway})):
            for doc in ec2.describe_internet_gateways(Filters=filters)["InternetGateways"]:
                if doc["InternetGatewayId"] == gateway:
                    mine = (one for one in doc.get("Attachments", []) if one["VpcId"] == vpc)
                    return next(({"InternetGatewayId": gateway, **one} for one in mine), None)
        return None

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Attach the gateway to the VPC (AttachInternetGateway)."""
        ec2.attach_internet_gateway(**spec.props)
        return dict(spec.props)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Detach the gateway from the VPC (DetachInternetGateway)."""
        ec2.detach_internet_gateway(**spec.props)

    def holders(self, ec2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the network interfaces in the VPC: public addresses of theirs block the detaching."""
        return interfaces(ec2, {"vpc-id": spec.props["VpcId"]}, spec.suffix)
