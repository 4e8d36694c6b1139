"""One service with all that is said of it: what runs, how large, how many, for which prefixes."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError, model_validator

from provisioner.settings.api import ApiService
from provisioner.settings.container import Container
from provisioner.settings.health_path import as_served
from provisioner.settings.section import Section
from provisioner.settings.service import Service

# A tag that is listed for amd64 and arm64 alike; its minor version stays, so the placeholder stays as tested.
PLACEHOLDER = "public.ecr.aws/nginx/nginx-unprivileged:1.29-alpine"


class Workload(Section):
    """One service; the main one has no name."""

    name: str
    prefixes: tuple[str, ...]
    image: str
    container: Container
    service: Service

    @model_validator(mode="after")
    def _can_answer(self) -> Workload:
        if self.is_placeholder and self.container.protocol != "HTTP":
            raise ValueError("the placeholder speaks plain HTTP; for HTTPS name an image of your own")
        if self.is_placeholder:
            as_served(self.container.health_path)
        return self

    @property
    def is_placeholder(self) -> bool:
        """Whether the seed's placeholder runs."""
        return self.image == PLACEHOLDER

    @property
    def images(self) -> tuple[str, ...]:
        """All that a task of it pulls."""
        opens = self.container.readonly_root and bool(self.container.scratch)
        return (self.image, self.container.scratch_image) if opens else (self.image,)

    @property
    def waits_for_database(self) -> bool:
        """Whether tasks start only when the database answers."""
        wanted = self.service.wait_for_database
        return not self.is_placeholder if wanted is None else wanted

    def named(self, noun: str) -> str:
        """The node's name of one of its parts: no other name has a dot, so none can meet it."""
        return f"{noun}.{self.name}" if self.name else noun

    def told_apart(self, noun: str) -> dict[str, Any]:
        """How the AWS name of one of its parts is made: the main one's is plain."""
        return {"noun": f"api-{noun}", "distinct": self.name} if self.name else {"noun": noun}

    def beside(self, name: str, own: ApiService) -> Workload:
        """Another service, which is as this one where it says nothing; ValueError where that cannot be."""
        said: dict[str, Any] = own.model_dump(exclude_none=True)
        container, service = self.container.model_dump(), self.service.model_dump()
        for part in (container, service):
            part.update({key: said[key] for key in part if key in said})
        for key, other in (("environment", "secrets"), ("secrets", "environment")):
            mine = getattr(self.container, key).items()
            container[key] = {**{name: one for name, one in mine if name not in said[other]}, **said[key]}
        return made(
            f"api.services.{name}",
            name=name,
            prefixes=own.prefixes,
            image=own.image or self.image,
            container=container,
            service=service,
        )


def made(where: str, **said: Any) -> Workload:
    """A service as it is said at `where`; ValueError, in one line, where there can be none such."""
    try:
        return Workload.model_validate(said)
    except ValidationError as error:
        told = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {told}") from error
