"""What runs in a task, in the sizes that Fargate has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from provisioner.settings.section import Section

# AWS Fargate developer guide, task CPU and memory: MiB by CPU units.
FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


class Container(Section):
    """What runs in a task."""

    port: int = Field(8080, ge=1, le=65535, description="the port the container listens on")
    health_path: str = Field("/health", pattern=r"^/", max_length=1024, description="answers 200 when well")
    cpu: int = Field(1024, description="CPU units of a task; 1024 are one vCPU")
    memory: int = Field(2048, description="MiB of a task")
    architecture: Literal["X86_64", "ARM64"] = Field("X86_64", description="what the image is built for")
    environment: dict[str, str] = Field(default_factory=dict, description="more environment variables")
    secrets: dict[str, str] = Field(
        default_factory=dict, description="variables from secret or parameter ARNs"
    )

    @model_validator(mode="after")
    def _fits_fargate(self) -> Container:
        if self.cpu not in FARGATE:
            sizes = ", ".join(map(str, FARGATE))
            raise ValueError(f"Fargate has no task of {self.cpu} CPU units; it has {sizes}")
        if self.memory not in FARGATE[self.cpu]:
            fits = FARGATE[self.cpu]
            nearest = min(fits, key=lambda memory: abs(memory - self.memory))
            raise ValueError(
                f"Fargate has no task of {self.cpu} CPU units with {self.memory} MiB; {nearest} is nearest"
            )
        return self
