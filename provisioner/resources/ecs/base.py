"""What all ECS resources share: tags by ARN, codes for what is missing; and sessions with a container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.ecs.service_tasks import RunningTask
from provisioner.resources.tags import low_pairs

NO_CLUSTER = codes("ClusterNotFoundException")
# A role or service-linked role that is seconds old (terraform-provider-aws ecs/cluster.go: 2 min).
NEW_ROLE = codes(
    "InvalidParameterException: unable to assume",
    "InvalidParameterException: verify that the ecs service role",
    "ClientException: unable to assume",
)


class EcsResourceType(ResourceType):
    """The base of the resource types of ECS, which are tagged by their ARN."""

    service = "ecs"
    operations = declare_operations(retag="TagResource UntagResource")

    def retag(self, ecs: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags (TagResource, UntagResource)."""
        if put:
            ecs.tag_resource(resourceArn=spec.id, tags=low_pairs(put))
        if gone := list(drop):
            ecs.untag_resource(resourceArn=spec.id, tagKeys=gone)


_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CALLS = {
    "ecs": ("ExecuteCommand ml-api-cluster-{suffix}",),
    "ssm": (f"StartSession task=ml-api-cluster-{{suffix}}/* document={_DOCUMENT}",),
}
# ECS developer guide, ECS Exec; botocore ssm StartSession: the agent has not started yet, or has ended.
NOT_READY = ("TargetNotConnectedException", "TargetNotConnected", "InvalidParameterException")


def execute(clients: Clients, children: RunningTask, line: str) -> Mapping[str, str]:
    """Open a session that runs a command line in a container (ECS ExecuteCommand).

    The result has the keys of StartSession: `SessionId`, `StreamUrl`, `TokenValue`.
    """
    ecs = clients.client("ecs")
    told = ecs.execute_command(
        cluster=children.cluster, task=children.id, container=children.container, command=line, interactive=True
    )["session"]
    return {"SessionId": told["sessionId"], "StreamUrl": told["streamUrl"], "TokenValue": told["tokenValue"]}


def forward(clients: Clients, through: RunningTask, host: str, port: int, here: int) -> Mapping[str, str]:
    """Open a session that forwards the local port `here` through a container to a host (StartSession)."""
    ssm = clients.client("ssm")
    asked = {"host": [host], "portNumber": [str(port)], "localPortNumber": [str(here)]}
    told = ssm.start_session(Target=through.target, DocumentName=_DOCUMENT, Parameters=asked)
    return {name: str(told[name]) for name in ("SessionId", "StreamUrl", "TokenValue")}
