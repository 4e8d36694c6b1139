"""The VPC flow log, which records the traffic of a VPC."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import made_in
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.ec2.tagged import Ec2, Filters
from provisioner.kinds.members.ec2 import FLOW_LOG


class FlowLog(Ec2):
    """A record of the traffic of one VPC. Nothing of it can be changed in place."""

    members = FLOW_LOG
    noun, resource, key, id_filter = "flow-log", "vpc-flow-log", "FlowLogId", "flow-log-id"
    claims = ("ResourceIds", "LogGroupName")
    # AWS returns the id of the VPC, but not that its resource type is a VPC.
    unread = frozenset({"ResourceType"})
    absent = codes("InvalidFlowLogId.NotFound")
    duplicate = codes("FlowLogAlreadyExists")
    # A role that is seconds old (terraform-provider-aws ec2/vpc_flow_log.go: 2 min).
    transient = {"create": codes("InvalidParameter: unable to assume given iam role")}
    # EC2 API reference, FlowLog
    states = (
        States("FlowLogStatus", words("ACTIVE"), untold="healthy"),
        States(
            "DeliverLogsStatus",
            words("SUCCESS"),
            unhealthy=words("FAILED"),
            untold="healthy",
            says={"failed": "delivers nothing"},
        ),
    )
    calls = calling(read="DescribeFlowLogs", create="CreateFlowLogs", delete="DeleteFlowLogs")

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the flow logs that pass the filters (DescribeFlowLogs)."""
        found = ec2.describe_flow_logs(Filter=filters)["FlowLogs"]
        return [{**doc, "ResourceIds": [doc["ResourceId"]]} for doc in found]

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the flow log (CreateFlowLogs); a refusal comes in the reply and is raised here."""
        made = ec2.create_flow_logs(**spec.props, ClientToken=spec.token, TagSpecifications=self.specification(spec))
        _check(made, "CreateFlowLogs")
        return {**spec.props, "FlowLogId": made_in(made, "FlowLogIds")}

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the flow log (DeleteFlowLogs)."""
        _check(ec2.delete_flow_logs(FlowLogIds=[spec.id]), "DeleteFlowLogs")


def _check(reply: Doc, operation: str) -> None:
    # Raise the first error in the reply: these calls answer 200 even if they did nothing.
    for failed in reply.get("Unsuccessful", []):
        raise ClientError({"Error": failed["Error"]}, operation)
