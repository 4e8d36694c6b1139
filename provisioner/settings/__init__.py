"""All settings of a stack, with their defaults, bounds and units; one module for each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from provisioner.settings.alarms import Alarms
from provisioner.settings.api import Api
from provisioner.settings.container import Container
from provisioner.settings.database import Database
from provisioner.settings.domain import Domain
from provisioner.settings.images import Image
from provisioner.settings.network import Network
from provisioner.settings.profiles import DEFAULT_PROFILE, PROFILES, with_profile_defaults
from provisioner.settings.section import Incompatible, Section
from provisioner.settings.service import Service
from provisioner.settings.small_sections import Edge, Encryption, Logs, Roles, Table, Waf
from provisioner.settings.tags import OwnTags
from provisioner.settings.workload import MAIN_SERVICE_GROUP, PLACEHOLDER, Workload, create_workload

__all__ = ["PLACEHOLDER", "Settings", "Workload"]


class Settings(Section):
    """All settings of one stack."""

    profile: Literal["seed", "production"] = Field(
        "production", description="the set of defaults: what a security review passes, or the plain and cheap one"
    )
    account: str | None = Field(
        None, pattern=r"^[0-9]{12}$", examples=["111122223333"], description="refuse every other account"
    )
    image: Image = Field(PLACEHOLDER, description="the container image")
    tags: OwnTags = Field({}, description="tags of your own on everything")
    protect_data: bool = Field(
        False, description="database, table and load balancer cannot be deleted; a last snapshot is taken"
    )
    network: Network = Network()
    container: Container = Container()
    service: Service = Service()
    database: Database = Database()
    table: Table = Table()
    encryption: Encryption = Encryption()
    logs: Logs = Logs()
    roles: Roles = Roles()
    api: Api = Api()
    edge: Edge = Edge()
    domain: Domain = Domain()
    waf: Waf = Waf()
    alarms: Alarms = Alarms()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_profile(cls, given: Any) -> Any:
        """Fill in the defaults of the profile below the given values.

        With an unknown profile nothing is filled in: the validation of the field `profile` then refuses it.
        """
        if not isinstance(given, Mapping):
            return given
        profile_name = given.get("profile", DEFAULT_PROFILE)
        return with_profile_defaults(PROFILES.get(profile_name, {}) if isinstance(profile_name, str) else {}, given)

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Every service: the main one first, then the services with prefixes of their own, sorted by name."""
        main = create_workload(
            MAIN_SERVICE_GROUP,
            name="",
            prefixes=self.api.prefixes,
            image=self.image,
            container=self.container,
            service=self.service,
        )
        return (main, *(main.derive(name, own_settings) for name, own_settings in sorted(self.api.services.items())))

    @property
    def prefixes(self) -> list[str]:
        """The path prefixes of all services."""
        return [prefix for workload in self.workloads for prefix in workload.prefixes]

    @model_validator(mode="after")
    def _check_workloads(self) -> Settings:
        """Raise Incompatible if the merged settings of any service are not valid."""
        _ = self.workloads
        return self

    @model_validator(mode="after")
    def _check_exec_can_write(self) -> Settings:
        """Raise Incompatible if ECS Exec is on and the root file system of the container is read-only."""
        # ECS developer guide, ecs-exec: the SSM agent in the container writes to its root.
        if self.service.exec and self.container.readonly_root:
            raise Incompatible(
                "service.exec needs a root file system that can be written, which container.readonly_root "
                "takes from it",
                "Set `container.readonly_root=false` for as long as you need the shell, or `service.exec=false`.",
            )
        return self
