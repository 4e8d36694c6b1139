"""Reads of the tasks' images that are in a private ECR registry."""

from __future__ import annotations

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import NotApplicable
from provisioner.doctor.reads.tasks import definitions
from provisioner.preflight import ecr, pull_rules
from provisioner.preflight.ecr import Pullable, check_image
from provisioner.settings.images import images_of

# The calls of this module by service; `policy` grants them.
CALLS = {"ecr": (*ecr.CALLS["ecr"], *pull_rules.CALLS["ecr"])}


def images(context: DoctorContext) -> list[Pullable]:
    """Return for each image whether a task could pull it.

    Raises:
        Unset: No image is in a private ECR registry.

    """
    named = {
        (image, definition["taskDefinitionArn"].split(":")[4])
        for definition in definitions(context)
        for image in images_of(definition)
    }
    found = [told for image, own in sorted(named) if (told := check_image(context.clients, image, own, must=True))]
    if not found:
        raise NotApplicable("no image lies in a private ECR")
    return found
