"""The complete settings of one service: container, size, number of tasks, prefixes."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError, model_validator

from provisioner.settings.api import ApiService
from provisioner.settings.container import Container
from provisioner.settings.section import Incompatible, Section, remedy_for_service, remedy_of, served_path
from provisioner.settings.service import Service

# The group with the settings of the main service, whose values the other services inherit.
MAIN_SERVICE_GROUP = "container"
# This tag exists for amd64 and for arm64. Its minor version is fixed, so that the tested one is used.
PLACEHOLDER = "public.ecr.aws/nginx/nginx-unprivileged:1.29-alpine"


class Workload(Section):
    """The complete settings of one service; the main service has the name ""."""

    name: str
    prefixes: tuple[str, ...]
    image: str
    container: Container
    service: Service

    @model_validator(mode="after")
    def _check_placeholder(self) -> Workload:
        """Raise Incompatible if the placeholder image runs and could not answer the health check."""
        if self.is_placeholder and self.container.protocol != "HTTP":
            raise Incompatible(
                "the placeholder speaks plain HTTP",
                "Set `container.protocol` to HTTP, or name an image of your own in `image`.",
            )
        if self.is_placeholder:
            self._check_health_path()
        return self

    def _check_health_path(self) -> None:
        """Raise Incompatible if the placeholder image could not answer a health check at this path."""
        try:
            served_path(self.container.health_path)
        except ValueError as error:
            remedy = "Set `container.health_path` to another path, or name an image of your own in `image`."
            raise Incompatible(str(error), remedy) from error

    @property
    def is_placeholder(self) -> bool:
        """Whether the service runs the placeholder image, and no image of the user's."""
        return self.image == PLACEHOLDER

    @property
    def images(self) -> tuple[str, ...]:
        """The images that a task of the service pulls."""
        has_scratch_volumes = self.container.readonly_root and bool(self.container.scratch)
        return (self.image, self.container.scratch_image) if has_scratch_volumes else (self.image,)

    @property
    def waits_for_database(self) -> bool:
        """Whether tasks start only when the database answers; by default all but those of the placeholder."""
        setting = self.service.wait_for_database
        return not self.is_placeholder if setting is None else setting

    def logical_id(self, noun: str) -> str:
        """Return the logical id of a resource of this service.

        No other logical id contains a dot, so none can be equal to that of a further service.

        Args:
            noun: The logical id that the main service uses.

        """
        return f"{noun}.{self.name}" if self.name else noun

    def name_arguments(self, noun: str) -> dict[str, Any]:
        """Return the arguments that give a resource of this service its AWS name.

        The main service has plain names. The names of a further service contain `api-`, and a hash of its
        name.

        Args:
            noun: The word for the resource in the AWS name.

        """
        return {"noun": f"api-{noun}", "discriminator": self.name} if self.name else {"noun": noun}

    def derive(self, name: str, overrides: ApiService) -> Workload:
        """Return a further service, which has the settings of this one unless it sets its own.

        Args:
            name: The name of the further service.
            overrides: The settings of its own.

        Raises:
            Incompatible: The merged settings are not valid.

        """
        values: dict[str, Any] = overrides.model_dump(exclude_none=True)
        container, service = self.container.model_dump(), self.service.model_dump()
        for section in (container, service):
            section.update({key: values[key] for key in section if key in values})
        for key, other in (("environment", "secrets"), ("secrets", "environment")):
            inherited = getattr(self.container, key).items()
            container[key] = {**{name: value for name, value in inherited if name not in values[other]}, **values[key]}
        return create_workload(
            f"api.services.{name}",
            name=name,
            prefixes=overrides.prefixes,
            image=overrides.image or self.image,
            container=container,
            service=service,
        )


def create_workload(group: str, **fields: Any) -> Workload:
    """Return the service with these settings.

    Args:
        group: The path of its settings, for the message.
        **fields: The fields of `Workload`.

    Raises:
        Incompatible: The settings are not valid; the message is one line.

    """
    try:
        return Workload.model_validate(fields)
    except ValidationError as error:
        detail = error.errors()[0]
        message = detail["msg"].removeprefix("Value error, ")
        remedy = remedy_of(detail) if group == MAIN_SERVICE_GROUP else remedy_for_service(group, remedy_of(detail))
        raise Incompatible(f"{group}: {message}", remedy) from error
