"""A container that can do little harm: a root it cannot write, no capabilities, scratch places of its own."""

from __future__ import annotations

from typing import Any

from provisioner.settings.container import Container

_INIT = "scratch"


def hardened(container: dict[str, Any], said: Container, *, shell: bool = False) -> dict[str, Any]:
    """The containers of a task, and the volumes they share, as RegisterTaskDefinition takes them.

    Fargate mounts a volume owned by root, mode 0755 (aws/containers-roadmap#938): where the image runs as
    another user, a small container opens the volume first, and ends before the main one starts.
    """
    linux: dict[str, Any] = {"capabilities": {"drop": ["ALL"]}} if said.drop_capabilities else {}
    if shell:
        # Ends what a session leaves behind (ECS developer guide, ecs-exec).
        linux["initProcessEnabled"] = True
    if linux:
        container = {**container, "linuxParameters": linux}
    if not said.readonly_root:
        return {"containerDefinitions": [container]}
    mounts = [
        {"sourceVolume": f"scratch-{place}", "containerPath": path, "readOnly": False}
        for place, path in enumerate(said.scratch, start=1)
    ]
    container = {**container, "readonlyRootFilesystem": True}
    if not mounts:
        return {"containerDefinitions": [container]}
    ready = {"dependsOn": [{"containerName": _INIT, "condition": "SUCCESS"}], "mountPoints": mounts}
    init = {
        "name": _INIT,
        "image": said.scratch_image,
        "essential": False,
        "command": ["chmod", "1777", *said.scratch],
        "readonlyRootFilesystem": True,
        "mountPoints": mounts,
        "logConfiguration": container["logConfiguration"],
    }
    if said.drop_capabilities:
        init["linuxParameters"] = container["linuxParameters"]
    volumes = [{"name": mount["sourceVolume"]} for mount in mounts]
    return {"containerDefinitions": [{**container, **ready}, init], "volumes": volumes}
