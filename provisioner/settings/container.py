"""The settings of the container that a task runs, in the task sizes that Fargate offers."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from provisioner.settings.images import Image
from provisioner.settings.section import NUMBER_OR_TEXT, Incompatible, Section, unit
from provisioner.settings.variables import Secrets, Variables

# The memory sizes in MiB for each number of CPU units (AWS Fargate developer guide, task CPU and memory).
FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


def nearest_sizes(cpu: int | None, memory: int | None) -> list[tuple[int, int]]:
    """Return the tasks of Fargate (CPU units, MiB) that are nearest to such a size, first by CPU, then by memory.

    None is a number that does not matter.
    """
    sizes = [(units, mebibytes) for units, all_sizes in FARGATE_MEMORY.items() for mebibytes in all_sizes]

    def distances(size: tuple[int, int]) -> tuple[int, int]:
        return abs(size[0] - cpu) if cpu is not None else 0, abs(size[1] - memory) if memory is not None else 0

    by_memory = min(sizes, key=lambda size: distances(size)[::-1])
    return list(dict.fromkeys((min(sizes, key=distances), by_memory)))


# The largest size of a task definition in bytes (Amazon ECS quotas, "Task definition size").
MAX_TASK_DEFINITION_BYTES = 64 * 1024
# The paths that Elastic Load Balancing accepts (apollographql/router#1852; botocore elbv2 CreateTargetGroup,
# HealthCheckPath: 1024 characters).
HealthPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9@:%_+.~#?&/=-]*$", max_length=1024)]
Path = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]+$", max_length=255)]


class Container(Section):
    """The settings of the container that a task runs."""

    port: int = Field(8080, ge=1, le=65535, description="the port the container listens on")
    protocol: Literal["HTTP", "HTTPS"] = Field(
        "HTTP", description="protocol on that port; the load balancer checks no certificate"
    )
    health_path: HealthPath = Field("/health", description="path that answers 200 while the service is healthy")
    cpu: Annotated[Literal[256, 512, 1024, 2048, 4096, 8192, 16384], NUMBER_OR_TEXT] = Field(
        1024, description="CPU of a task; 1024 are one vCPU", json_schema_extra=unit("CPU units")
    )
    memory: int = Field(
        2048,
        ge=512,
        le=122880,
        description="memory of a task; its CPU says which sizes there are",
        json_schema_extra=unit("MiB"),
    )
    architecture: Literal["X86_64", "ARM64"] = Field("X86_64", description="what the image is built for")
    environment: Variables = Field({}, description="more environment variables")
    secrets: Secrets = Field({}, description="variables from secret or parameter ARNs")

    readonly_root: bool = Field(False, description="a root file system that the container cannot write")
    drop_capabilities: bool = Field(False, description="no Linux capabilities")
    scratch: tuple[Path, ...] = Field(("/tmp",), description="where it may write all the same")  # noqa: S108 - in the container
    scratch_image: Image = Field("public.ecr.aws/docker/library/busybox:1.37", description="an image with chmod in it")

    @model_validator(mode="after")
    def _check_names_unique(self) -> Container:
        """Raise Incompatible if a variable is both in `environment` and in `secrets`."""
        # botocore ecs Secret: ECS takes a name as a variable or as a secret, not as both.
        if both := sorted(self.environment.keys() & self.secrets.keys()):
            raise Incompatible(
                f"{both[0]} is in environment and in secrets; ECS takes it from one of them",
                f"Take {both[0]} out of `container.environment` or out of `container.secrets`.",
            )
        return self

    @model_validator(mode="after")
    def _check_scratch_paths(self) -> Container:
        """Raise Incompatible if a scratch path is given twice, is the root, or lies in /proc."""
        # RegisterTaskDefinition refuses two mount points with the same path; runc refuses a path in /proc.
        paths = [posixpath.normpath(given_path) for given_path in self.scratch]
        for path, count in Counter(paths).items():
            if count > 1:
                raise Incompatible(f"scratch names {path} twice", "Name it once in `container.scratch`.")
            if path == "/" or f"{path}/".startswith("/proc/"):
                raise Incompatible(
                    f"scratch cannot be {path}", "Name another folder in `container.scratch`, such as /tmp."
                )
        return self

    @model_validator(mode="after")
    def _check_size(self) -> Container:
        """Raise Incompatible if the variables alone are larger than a task definition may be."""
        # ECS quotas: a task definition has at most 64 KB, for its variables and everything else.
        pairs = [*self.environment.items(), *self.secrets.items()]
        size = sum(len(json.dumps({"name": name, "value": value})) + 1 for name, value in pairs)
        if size > MAX_TASK_DEFINITION_BYTES:
            raise Incompatible(
                f"environment and secrets come to {size} bytes; a task definition has {MAX_TASK_DEFINITION_BYTES}",
                f"Take {size - MAX_TASK_DEFINITION_BYTES} bytes or more out of `container.environment` "
                "or `container.secrets`.",
            )
        return self

    @model_validator(mode="after")
    def _check_fargate_size(self) -> Container:
        """Raise Incompatible, with the nearest memory size, if Fargate has no task of this CPU and memory."""
        if self.memory not in FARGATE_MEMORY[self.cpu]:
            sizes = FARGATE_MEMORY[self.cpu]
            nearest = min(sizes, key=lambda memory: abs(memory - self.memory))
            fitting_cpus = " or ".join(str(cpu) for cpu, sizes in FARGATE_MEMORY.items() if self.memory in sizes)
            raise Incompatible(
                f"Fargate has no task of {self.cpu} CPU units with {self.memory} MiB; {nearest} is nearest",
                f"Set `container.memory` to {nearest}"
                + (f", or `container.cpu` to {fitting_cpus}." if fitting_cpus else "."),
            )
        return self
