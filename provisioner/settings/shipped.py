"""The settings with the images that were shipped in place of those that are set."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.settings import Settings


def with_images(s: Settings, shipped: Mapping[str, str]) -> Settings:
    """Each service with the image shipped to it, the main one under no name; the others keep what is set."""
    if not shipped:
        return s
    images = {one.name: one.image for one in s.workloads} | dict(shipped)
    services = {name: own.model_copy(update={"image": images[name]}) for name, own in s.api.services.items()}
    api = s.api.model_copy(update={"services": services})
    return s.model_copy(update={"image": images[""], "api": api})
