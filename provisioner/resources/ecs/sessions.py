"""Sessions with a running container: a command in it, or a port forwarded through it.

What these functions return gives access to the container. It is passed to the Session Manager plugin only.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.engine.calls.clients import Clients
from provisioner.resources.ecs.running import Running

_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CALLS = {
    "ecs": ("ExecuteCommand ml-api-cluster-{suffix}",),
    "ssm": (f"StartSession task=ml-api-cluster-{{suffix}}/* document={_DOCUMENT}",),
}
# ECS developer guide, ECS Exec; botocore ssm StartSession: the agent has not started yet, or has ended.
NOT_READY = ("TargetNotConnectedException", "TargetNotConnected", "InvalidParameterException")


def execute(clients: Clients, children: Running, line: str) -> Mapping[str, str]:
    """Open a session that runs a command line in a container (ECS ExecuteCommand).

    The result has the keys of StartSession: `SessionId`, `StreamUrl`, `TokenValue`.
    """
    ecs = clients.client("ecs")
    told = ecs.execute_command(
        cluster=children.cluster, task=children.id, container=children.container, command=line, interactive=True
    )["session"]
    return {"SessionId": told["sessionId"], "StreamUrl": told["streamUrl"], "TokenValue": told["tokenValue"]}


def forward(clients: Clients, through: Running, host: str, port: int, here: int) -> Mapping[str, str]:
    """Open a session that forwards the local port `here` through a container to a host (StartSession)."""
    ssm = clients.client("ssm")
    asked = {"host": [host], "portNumber": [str(port)], "localPortNumber": [str(here)]}
    told = ssm.start_session(Target=through.target, DocumentName=_DOCUMENT, Parameters=asked)
    return {name: str(told[name]) for name in ("SessionId", "StreamUrl", "TokenValue")}
