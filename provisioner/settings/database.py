"""The settings of the Aurora PostgreSQL Serverless v2 cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provisioner.settings.postgres import DEFAULT_MAJOR
from provisioner.settings.reserved_names import validate_database_name, validate_role_name
from provisioner.settings.section import NUMBER_OR_TEXT, Incompatible, Section, unit

# Aurora user guide, replicas: at most 15 besides the writer.
MAX_READERS = 15


class Database(Section):
    """The settings of the Aurora PostgreSQL Serverless v2 cluster."""

    version: str = Field(
        DEFAULT_MAJOR,
        pattern=r"^[0-9]{1,3}(\.[0-9]{1,3})?$",
        description="a major version, or an exact one; an existing stack keeps its own if none is set",
    )
    extended_support: bool | None = Field(
        None,
        examples=[False],
        description="past the end of standard support the major version stays, at a charge for each ACU "
        "(EngineLifecycleSupport, AWS's default); false: AWS moves it to the next one then",
    )
    name: Annotated[str, AfterValidator(validate_database_name)] = Field(
        "mlapi", pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$", description="the database in it"
    )
    # botocore rds CreateDBCluster, MasterUsername: 1 to 16 letters or numbers. RDS accepts `_` too
    # (crossplane-contrib/provider-aws#1701).
    username: Annotated[str, AfterValidator(validate_role_name)] = Field(
        "mlapi_admin", pattern=r"^[a-z][a-z0-9_]{0,15}$", description="its master user"
    )
    min_acu: float = Field(
        0.5,
        ge=0,
        le=256,
        multiple_of=0.5,
        description="least capacity; 0 lets the database pause",
        json_schema_extra=unit("ACU"),
    )
    max_acu: float = Field(2, ge=1, le=256, multiple_of=0.5, description="most capacity", json_schema_extra=unit("ACU"))
    # botocore rds ServerlessV2ScalingConfiguration, SecondsUntilAutoPause
    pause_after: int = Field(
        300,
        ge=300,
        le=86400,
        description="idle time before it pauses, where min_acu is 0",
        json_schema_extra=unit("seconds"),
    )
    backup_days: int = Field(7, ge=1, le=35, description="how long backups are kept", json_schema_extra=unit("days"))
    final_snapshot: bool = Field(False, description="take a snapshot when the cluster is deleted")
    deletion_protection: bool = Field(False, description="AWS refuses to delete the cluster")
    rotation_days: int = Field(
        7, ge=1, le=1000, description="after which RDS makes a new password", json_schema_extra=unit("days")
    )

    readers: int = Field(
        0,
        ge=0,
        le=MAX_READERS,
        description="instances beside the writer, in other zones; the first takes over from it",
        json_schema_extra=unit("instances"),
    )
    iam_login: bool = Field(
        False, description="tasks may log in by their role, without a password, as `database.iam_user`"
    )
    iam_user: Annotated[str, AfterValidator(validate_role_name)] = Field(
        "mlapi_app",
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        description="the database user they log in as: you create it and grant it `rds_iam`",
    )
    tag_snapshots: bool = Field(False, description="snapshots get the stack's tags")
    # botocore rds CreateDBInstance, MonitoringInterval
    monitoring: Annotated[Literal[0, 1, 5, 10, 15, 30, 60], NUMBER_OR_TEXT] = Field(
        0,
        description="how often enhanced monitoring measures the machine below; 0 is never",
        json_schema_extra=unit("seconds"),
    )
    insights: bool = Field(False, description="Performance Insights, kept for the 7 days that cost nothing")

    @property
    def has_version(self) -> bool:
        """Whether the settings give a version; if not, the default version counts for a new stack only."""
        return "version" in self.model_fields_set

    def effective_version(self, current: str) -> str:
        """Return the version to use: the one in the settings, else `current`, else the default version.

        Args:
            current: The version that an existing stack is known to have; "" for a new stack.

        """
        return self.version if self.has_version or not current else current

    @model_validator(mode="after")
    def _check_iam_user(self) -> Database:
        """Raise Incompatible if the IAM user is the master user."""
        # Aurora user guide, IAM authentication: a user with the role rds_iam cannot log in by password.
        if self.iam_login and self.iam_user == self.username:
            raise Incompatible(
                f"iam_user is the master user {self.username}, who needs a password",
                "Name another user in `database.iam_user`, or set `database.iam_login` to false.",
            )
        return self

    @model_validator(mode="after")
    def _check_capacity(self) -> Database:
        """Raise Incompatible if the greatest capacity is less than the least capacity."""
        if self.max_acu < self.min_acu:
            raise Incompatible(
                f"max_acu ({self.max_acu}) is below min_acu ({self.min_acu}); {self.min_acu} is nearest",
                f"Raise `database.max_acu` to {self.min_acu} or more, or lower `database.min_acu` to "
                f"{self.max_acu} or less.",
            )
        return self
