"""The images that the tasks run, as far as they lie in a private ECR."""

from __future__ import annotations

from provisioner.doctor.asked.tasks import definitions
from provisioner.doctor.finding import Unset
from provisioner.doctor.patient import Patient
from provisioner.preflight import ecr, pull_rules
from provisioner.preflight.ecr import Pullable, look
from provisioner.settings.images import images_of

# What is asked here, by service: `policy` grants it.
CALLS = {"ecr": (*ecr.CALLS["ecr"], *pull_rules.CALLS["ecr"])}


def images(p: Patient) -> list[Pullable]:
    """Return whether each can be pulled; Unset where all lie elsewhere."""
    named = {
        (image, definition["taskDefinitionArn"].split(":")[4])
        for definition in definitions(p)
        for image in images_of(definition)
    }
    found = [told for image, own in sorted(named) if (told := look(p.clients, image, own, must=True))]
    if not found:
        raise Unset("no image lies in a private ECR")
    return found
