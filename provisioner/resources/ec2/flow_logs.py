"""The VPC flow log, which records the traffic of a VPC."""

from __future__ import annotations

from botocore.exceptions import ClientError

from provisioner.aws.responses import created_resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ec2.base import Ec2ResourceType, Filters
from provisioner.resources.field_owners.ec2 import FLOW_LOG
from provisioner.service_clients import EC2


class FlowLog(Ec2ResourceType):
    """A record of the traffic of one VPC. Nothing of it can be changed in place."""

    deleted_at_reply = True
    ownership = FLOW_LOG
    pricing = Pricing(by_use="flow logs")
    noun, iam_type, id_paths, id_filter = "flow-log", "vpc-flow-log", "FlowLogId", "flow-log-id"
    unique_properties = ("ResourceIds", "LogGroupName")
    # AWS returns the id of the VPC, but not that its resource type is a VPC.
    write_only = frozenset({"ResourceType"})
    not_found_codes = codes("InvalidFlowLogId.NotFound")
    already_exists_codes = codes("FlowLogAlreadyExists")
    # A role that is seconds old (terraform-provider-aws ec2/vpc_flow_log.go: 2 min).
    retryable_codes = {"create": codes("InvalidParameter: unable to assume given iam role")}
    # EC2 API reference, FlowLog
    status_classes = (
        StatusClasses("FlowLogStatus", in_lower_case("ACTIVE"), when_missing="healthy"),
        StatusClasses(
            "DeliverLogsStatus",
            in_lower_case("SUCCESS"),
            unhealthy=in_lower_case("FAILED"),
            when_missing="healthy",
            descriptions={"failed": "delivers nothing"},
        ),
    )
    operations = declare_operations(read="DescribeFlowLogs", create="CreateFlowLogs", delete="DeleteFlowLogs")

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the flow logs that pass the filters (DescribeFlowLogs)."""
        flow_logs = ec2.describe_flow_logs(Filters=filters)["FlowLogs"]
        return [{**actual, "ResourceIds": [actual["ResourceId"]]} for actual in flow_logs]

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the flow log (CreateFlowLogs); a refusal comes in the reply and is raised here."""
        reply = ec2.create_flow_logs(
            **spec.props, ClientToken=spec.token, TagSpecifications=self.tag_specifications(spec)
        )
        _raise_for_unsuccessful(reply, "CreateFlowLogs")
        return {**spec.props, "FlowLogId": created_resource(reply, "FlowLogIds")}

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the flow log (DeleteFlowLogs)."""
        _raise_for_unsuccessful(ec2.delete_flow_logs(FlowLogIds=[spec.id]), "DeleteFlowLogs")


def _raise_for_unsuccessful(reply: JsonObject, operation: str) -> None:
    """Raise the first error in the reply as ClientError: these calls answer 200 even if they fail."""
    for failed in reply.get("Unsuccessful", []):
        raise ClientError({"Error": failed["Error"]}, operation)
