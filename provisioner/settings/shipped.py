"""What was shipped, and the settings with it in place of what is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.settings import Settings, Workload
from provisioner.settings.section import Section


@dataclass(frozen=True)
class Size:
    """CPU units and MiB of a task."""

    cpu: int
    memory: int


@dataclass(frozen=True)
class Counts:
    """Between how many tasks a service is scaled."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class Shipped:
    """What `deploy` and `scale` chose for a service; what they did not is as it is set.

    `revision` is the task definition that runs, where the image was chosen; `marks` are the tags that say
    all this.
    """

    image: str = ""
    revision: str = ""
    size: Size | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    counts: Counts | None = None
    marks: Mapping[str, str] = field(default_factory=dict)


def with_shipped(s: Settings, shipped: Mapping[str, Shipped]) -> Settings:
    """Each service with what was shipped to it, the main one under no name; the others keep what is set.

    Variables are not among it: the other services would inherit those of the main one.
    """
    if not shipped:
        return s
    said = {one.name: _said(one, shipped.get(one.name, Shipped())) for one in s.workloads}
    services = {name: own.model_copy(update=said[name]) for name, own in s.api.services.items()}
    main = said[""]
    changed = {
        "image": main["image"],
        "container": _updated(s.container, main),
        "service": _updated(s.service, main),
        "api": s.api.model_copy(update={"services": services}),
    }
    return s.model_copy(update=changed)


def _said(one: Workload, shipped: Shipped) -> dict[str, Any]:
    size = shipped.size or Size(one.container.cpu, one.container.memory)
    counts = shipped.counts or Counts(one.service.minimum, one.service.maximum)
    return {"image": shipped.image or one.image, **vars(size), **vars(counts)}


def _updated(section: Section, said: Mapping[str, Any]) -> Section:
    mine = {key: value for key, value in said.items() if key in type(section).model_fields}
    return section.model_copy(update=mine)
