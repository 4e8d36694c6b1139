"""The settings of the ECS service: number of tasks, capacity providers, autoscaling."""

from __future__ import annotations

from pydantic import Field, model_validator

from provisioner.settings.section import MAX_EXACT_INTEGER, Incompatible, Section, unit


class Service(Section):
    """The settings of the ECS service: number of tasks, capacity providers, autoscaling."""

    minimum: int = Field(
        2,
        ge=0,
        le=5000,
        description="least number of tasks, and the number at creation",
        json_schema_extra=unit("tasks"),
    )
    maximum: int = Field(10, ge=1, le=5000, description="most tasks", json_schema_extra=unit("tasks"))
    requests: int = Field(
        1000,
        ge=1,
        le=MAX_EXACT_INTEGER,
        description="per task, what autoscaling aims at",
        json_schema_extra=unit("requests a minute"),
    )
    scale_out_cooldown: int = Field(
        60, ge=0, le=3600, description="pause after tasks were added", json_schema_extra=unit("seconds")
    )
    scale_in_cooldown: int = Field(
        300, ge=0, le=3600, description="pause after tasks were taken away", json_schema_extra=unit("seconds")
    )
    spot_weight: int = Field(
        70,
        ge=0,
        le=1000,
        description="Fargate Spot's share of the tasks beyond the base",
        json_schema_extra=unit("parts"),
    )
    fargate_weight: int = Field(
        30, ge=0, le=1000, description="Fargate's share of the tasks beyond the base", json_schema_extra=unit("parts")
    )
    fargate_base: int = Field(
        2, ge=0, le=100000, description="how many always run on Fargate", json_schema_extra=unit("tasks")
    )
    grace: int = Field(
        60, ge=0, le=2_147_483_647, description="time before health checks count", json_schema_extra=unit("seconds")
    )
    wait_for_database: bool | None = Field(
        None,
        examples=[True],
        description="start tasks only when the database is up; by default for an image of your own",
    )

    exec: bool = Field(
        False, description="a shell in a running task, each session logged; its root must be writable for that"
    )

    @model_validator(mode="after")
    def _check_counts(self) -> Service:
        """Raise Incompatible if the greatest number of tasks is below the least, or both weights are 0."""
        if self.maximum < self.minimum:
            raise Incompatible(
                f"maximum ({self.maximum}) is below minimum ({self.minimum}); {self.minimum} is nearest",
                f"Raise `service.maximum` to {self.minimum} or more, or lower `service.minimum` to "
                f"{self.maximum} or less.",
            )
        if self.spot_weight + self.fargate_weight == 0:
            raise Incompatible(
                "spot_weight and fargate_weight cannot both be 0: no task could be placed",
                "Set `service.fargate_weight` or `service.spot_weight` to 1 or more.",
            )
        return self
