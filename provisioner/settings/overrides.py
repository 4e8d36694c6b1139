"""The choices of `deploy` and `scale` for a service, and the settings with these choices in effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.settings import Settings, Workload
from provisioner.settings.section import Section


@dataclass(frozen=True)
class Size:
    """The size of a task: CPU units, and memory in MiB."""

    cpu: int
    memory: int


@dataclass(frozen=True)
class Counts:
    """The least and the greatest number of tasks that a service is scaled to."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class ServiceOverrides:
    """The choices of `deploy` and `scale` for one service; an empty field has the value of the settings.

    If the image was chosen, `revision` is the task definition that runs. `tags` are the tags on the service
    that record the choices.
    """

    image: str = ""
    revision: str = ""
    size: Size | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def with_overrides(settings: Settings, overrides: Mapping[str, ServiceOverrides]) -> Settings:
    """Return the settings with the chosen image, size and number of tasks of each service.

    Chosen variables are left out, because the other services would inherit those of the main service.

    Args:
        settings: The settings.
        overrides: The choices by the name of the service; the main service has the name "". A service that is
            missing here keeps its settings.

    """
    if not overrides:
        return settings
    no_overrides = ServiceOverrides()
    values = {each.name: _effective_values(each, overrides.get(each.name, no_overrides)) for each in settings.workloads}
    services = {name: service.model_copy(update=values[name]) for name, service in settings.api.services.items()}
    main_values = values[""]
    changed = {
        "image": main_values["image"],
        "container": _with_values(settings.container, main_values),
        "service": _with_values(settings.service, main_values),
        "api": settings.api.model_copy(update={"services": services}),
    }
    return settings.model_copy(update=changed)


def _effective_values(workload: Workload, overrides: ServiceOverrides) -> dict[str, Any]:
    """Return image, size and number of tasks of one service: the chosen ones, else those in the settings."""
    size = overrides.size or Size(workload.container.cpu, workload.container.memory)
    counts = overrides.counts or Counts(workload.service.minimum, workload.service.maximum)
    return {"image": overrides.image or workload.image, **vars(size), **vars(counts)}


def _with_values(section: Section, values: Mapping[str, Any]) -> Section:
    """Return the section with those of the values that are settings of it."""
    own_values = {key: value for key, value in values.items() if key in type(section).model_fields}
    return section.model_copy(update=own_values)
