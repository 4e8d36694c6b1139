"""What all ECS resources share: tags by ARN, codes for what is missing; and sessions with a container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.ecs.service_tasks import RunningTask
from provisioner.resources.tags import lower_case_pairs

CLUSTER_NOT_FOUND = codes("ClusterNotFoundException")
# A role or service-linked role that is seconds old (terraform-provider-aws ecs/cluster.go: 2 min).
ROLE_NOT_VISIBLE = codes(
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
            ecs.tag_resource(resourceArn=spec.id, tags=lower_case_pairs(put))
        if gone := list(drop):
            ecs.untag_resource(resourceArn=spec.id, tagKeys=gone)


_FORWARDING_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CALLS = {
    "ecs": ("ExecuteCommand ml-api-cluster-{suffix}",),
    "ssm": (f"StartSession task=ml-api-cluster-{{suffix}}/* document={_FORWARDING_DOCUMENT}",),
}
# ECS developer guide, ECS Exec; botocore ssm StartSession: the agent has not started yet, or has ended.
AGENT_NOT_READY = ("TargetNotConnectedException", "TargetNotConnected", "InvalidParameterException")


def open_command_session(clients: Clients, task: RunningTask, command_line: str) -> Mapping[str, str]:
    """Open a session that runs a command line in a container (ECS ExecuteCommand).

    The result has the keys of StartSession: `SessionId`, `StreamUrl`, `TokenValue`.
    """
    ecs = clients.client("ecs")
    told = ecs.execute_command(
        cluster=task.cluster, task=task.id, container=task.container, command=command_line, interactive=True
    )["session"]
    return {"SessionId": told["sessionId"], "StreamUrl": told["streamUrl"], "TokenValue": told["tokenValue"]}


def open_forwarding_session(
    clients: Clients, task: RunningTask, host: str, port: int, local_port: int
) -> Mapping[str, str]:
    """Open a session that forwards the local port `local_port` through a container to a host (StartSession)."""
    ssm = clients.client("ssm")
    asked = {"host": [host], "portNumber": [str(port)], "localPortNumber": [str(local_port)]}
    told = ssm.start_session(Target=task.target, DocumentName=_FORWARDING_DOCUMENT, Parameters=asked)
    return {name: str(told[name]) for name in ("SessionId", "StreamUrl", "TokenValue")}
