"""Container hardening: a read-only root file system, no Linux capabilities, and scratch volumes."""

from __future__ import annotations

from typing import Any

from provisioner.settings.container import Container

_INIT_CONTAINER = "scratch"


def hardened_containers(container: dict[str, Any], settings: Container, *, shell: bool = False) -> dict[str, Any]:
    """Return the hardened containers and their volumes, as RegisterTaskDefinition takes them.

    Fargate mounts a volume as owned by root with mode 0755 (aws/containers-roadmap#938), so an image that
    runs as another user could not write to it. A small init container makes the volumes writable for all
    users, and ends before the main container starts.

    Args:
        container: The definition of the main container.
        settings: The settings of the container.
        shell: Whether ECS Exec is enabled, so that an init process must end what a session leaves behind.

    """
    linux_parameters: dict[str, Any] = {"capabilities": {"drop": ["ALL"]}} if settings.drop_capabilities else {}
    if shell:
        # ECS developer guide, ecs-exec.
        linux_parameters["initProcessEnabled"] = True
    if linux_parameters:
        container = {**container, "linuxParameters": linux_parameters}
    if not settings.readonly_root:
        return {"containerDefinitions": [container]}
    mounts = [
        {"sourceVolume": f"scratch-{number}", "containerPath": path, "readOnly": False}
        for number, path in enumerate(settings.scratch, start=1)
    ]
    container = {**container, "readonlyRootFilesystem": True}
    if not mounts:
        return {"containerDefinitions": [container]}
    after_init = {"dependsOn": [{"containerName": _INIT_CONTAINER, "condition": "SUCCESS"}], "mountPoints": mounts}
    init = {
        "name": _INIT_CONTAINER,
        "image": settings.scratch_image,
        "essential": False,
        "command": ["chmod", "1777", *settings.scratch],
        "readonlyRootFilesystem": True,
        "mountPoints": mounts,
        "logConfiguration": container["logConfiguration"],
    }
    if settings.drop_capabilities:
        init["linuxParameters"] = container["linuxParameters"]
    volumes = [{"name": mount["sourceVolume"]} for mount in mounts]
    return {"containerDefinitions": [{**container, **after_init}, init], "volumes": volumes}
