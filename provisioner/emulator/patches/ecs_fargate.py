"""ECS: parameters that a task definition for Fargate may not have.

Source: ECS developer guide, fargate-tasks-services.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.emulator.answers import AwsError
from provisioner.emulator.hooks import always
from provisioner.emulator.wire import Call

_MEANINGLESS = ("privileged", "dockerSecurityOptions", "links", "extraHosts", "disableNetworking")
_LINUX = ("devices", "maxSwap", "sharedMemorySize", "swappiness", "tmpfs")


@always.before("ecs", "RegisterTaskDefinition")
def for_fargate(call: Call) -> None:
    """Refuse a Fargate task definition that has parameters Fargate does not support."""
    if "FARGATE" not in call.params.get("requiresCompatibilities", []):
        return
    for container in call.params["containerDefinitions"]:
        for told in _refused(container):
            raise AwsError("ClientException", f"Fargate compatible task definitions do not support {told}.")
    for volume in call.params.get("volumes", []):
        if volume.get("host", {}).get("sourcePath"):
            raise AwsError("ClientException", "host.sourcePath should not be set for volumes in Fargate.")


def _refused(container: dict[str, Any]) -> Iterator[str]:
    """Yield the parameters of a container definition that Fargate does not support."""
    yield from (key for key in _MEANINGLESS if container.get(key))
    linux = container.get("linuxParameters") or {}
    yield from (key for key in _LINUX if linux.get(key))
    added = (linux.get("capabilities") or {}).get("add") or []
    yield from (f"adding the capability {one}" for one in added if one != "SYS_PTRACE")
