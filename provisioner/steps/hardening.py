"""Container hardening: a read-only root file system, no Linux capabilities, and scratch volumes."""

from __future__ import annotations

from typing import Any

from provisioner.settings.container import Container

_INIT = "scratch"


def hardened_containers(container: dict[str, Any], given: Container, *, shell: bool = False) -> dict[str, Any]:
    """Return the hardened containers and their volumes, as RegisterTaskDefinition takes them.

    Fargate mounts a volume as owned by root with mode 0755 (aws/containers-roadmap#938), so an image that
    runs as another user could not write to it. A small init container makes the volumes writable for all
    users, and ends before the main container starts.

    Args:
        container: The definition of the main container.
        given: The settings of the container.
        shell: Whether ECS Exec is enabled, so that an init process must end what a session leaves behind.

    """
    linux: dict[str, Any] = {"capabilities": {"drop": ["ALL"]}} if given.drop_capabilities else {}
    if shell:
        # ECS developer guide, ecs-exec.
        linux["initProcessEnabled"] = True
    if linux:
        container = {**container, "linuxParameters": linux}
    if not given.readonly_root:
        return {"containerDefinitions": [container]}
    mounts = [
        {"sourceVolume": f"scratch-{place}", "containerPath": path, "readOnly": False}
        for place, path in enumerate(given.scratch, start=1)
    ]
    container = {**container, "readonlyRootFilesystem": True}
    if not mounts:
        return {"containerDefinitions": [container]}
    ready = {"dependsOn": [{"containerName": _INIT, "condition": "SUCCESS"}], "mountPoints": mounts}
    init = {
        "name": _INIT,
        "image": given.scratch_image,
        "essential": False,
        "command": ["chmod", "1777", *given.scratch],
        "readonlyRootFilesystem": True,
        "mountPoints": mounts,
        "logConfiguration": container["logConfiguration"],
    }
    if given.drop_capabilities:
        init["linuxParameters"] = container["linuxParameters"]
    volumes = [{"name": mount["sourceVolume"]} for mount in mounts]
    return {"containerDefinitions": [{**container, **ready}, init], "volumes": volumes}
