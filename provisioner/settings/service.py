"""How many tasks run, where, and how they are rolled."""

from __future__ import annotations

from pydantic import Field, model_validator

from provisioner.settings.section import Section


class Service(Section):
    """How many tasks, where, and how they are rolled."""

    minimum: int = Field(2, ge=0, le=5000, description="tasks at least, and at birth")
    maximum: int = Field(10, ge=1, le=5000, description="tasks at most")
    requests: int = Field(1000, ge=1, description="requests per task and minute that autoscaling aims at")
    scale_out_cooldown: int = Field(60, ge=0, le=3600, description="seconds")
    scale_in_cooldown: int = Field(300, ge=0, le=3600, description="seconds")
    spot_weight: int = Field(70, ge=0, le=1000, description="share of Fargate Spot beyond the base")
    fargate_weight: int = Field(30, ge=0, le=1000, description="share of Fargate beyond the base")
    fargate_base: int = Field(2, ge=0, le=100000, description="tasks that always run on Fargate")
    grace: int = Field(60, ge=0, le=86400, description="seconds before health checks count")
    wait_for_database: bool | None = Field(
        None, description="start tasks only when the database is up; by default for an image of your own"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Service:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum ({self.maximum}) is below minimum ({self.minimum})")
        if self.spot_weight + self.fargate_weight == 0:
            raise ValueError("spot_weight and fargate_weight cannot both be 0: no task could be placed")
        return self
