"""Sessions with a container that runs: a command in it, or a port through it.

What is returned lets whoever has it in: it is told to the plugin, and to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.engine.clients import Clients
from provisioner.kinds.ecs.running import Running

_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
CALLS = {
    "ecs": ("ExecuteCommand ml-api-cluster-{suffix}",),
    "ssm": (f"StartSession task=ml-api-cluster-{{suffix}}/* document={_DOCUMENT}",),
}
# ECS developer guide, ECS Exec; botocore ssm StartSession: the agent is not there yet, or not any more.
NOT_READY = ("TargetNotConnectedException", "TargetNotConnected", "InvalidParameterException")


def execute(clients: Clients, inside: Running, line: str) -> Mapping[str, str]:
    """ExecuteCommand: a session in which the command line runs, in the words of StartSession."""
    ecs = clients.client("ecs")
    told = ecs.execute_command(
        cluster=inside.cluster, task=inside.id, container=inside.container, command=line, interactive=True
    )["session"]
    return {"SessionId": told["sessionId"], "StreamUrl": told["streamUrl"], "TokenValue": told["tokenValue"]}


def forward(clients: Clients, through: Running, host: str, port: int, here: int) -> Mapping[str, str]:
    """StartSession: a port of this machine that leads through the container to another host."""
    ssm = clients.client("ssm")
    asked = {"host": [host], "portNumber": [str(port)], "localPortNumber": [str(here)]}
    told = ssm.start_session(Target=through.target, DocumentName=_DOCUMENT, Parameters=asked)
    return {name: str(told[name]) for name in ("SessionId", "StreamUrl", "TokenValue")}
