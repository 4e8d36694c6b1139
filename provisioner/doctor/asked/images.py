"""The images that the tasks run, as far as they lie in this account's ECR."""

from __future__ import annotations

import re

from provisioner.doctor.asked.tasks import definitions
from provisioner.doctor.finding import Sought, Unset
from provisioner.doctor.patient import Patient, unless
from provisioner.settings.images import private_ecr

# What is asked here, by service: `policy` grants it.
CALLS = {"ecr": ("DescribeImages",)}
_GONE = ("ImageNotFoundException", "RepositoryNotFoundException")


def images(p: Patient) -> list[Sought]:
    """DescribeImages of each; Unset where all lie elsewhere."""
    named = {
        (image, definition["taskDefinitionArn"].split(":")[4])
        for definition in definitions(p)
        for image in (one["image"] for one in definition["containerDefinitions"])
    }
    found = [_image(p, image, place) for image, own in sorted(named) if (place := _place(image, own))]
    if not found:
        raise Unset("no image lies in this account's ECR")
    return found


def _place(image: str, own: str) -> re.Match[str] | None:
    """Where an image lies, if that is the account's own registry."""
    place = private_ecr(image)
    return place if place and place["account"] == own else None


def _image(p: Patient, image: str, place: re.Match[str]) -> Sought:
    rest = image.removeprefix(place[0])
    asked = {"imageDigest": rest[1:]} if rest.startswith("@") else {"imageTag": rest[1:] or "latest"}
    ecr = p.clients.client("ecr", place["region"])
    name = place["repository"]
    told = unless(_GONE, lambda: ecr.describe_images(repositoryName=name, imageIds=[asked]))
    return Sought(f"image {image}", told and told["imageDetails"][0])
