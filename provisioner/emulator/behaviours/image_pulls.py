"""Image pulls from a private ECR: no archived images, and a pull-through cache rule fetches missing ones."""

from __future__ import annotations

import json
import re

from provisioner.emulator.ecs.model import Task
from provisioner.emulator.ecs.start_failures import StartFailure, checks
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.ecr import ACTIVE, image_of, prefixes, status_of
from provisioner.iam.evaluator import Request, allows

# ECR user guide, "IAM permissions required to sync an upstream registry".
_FILLS = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _image_failure(task: Task) -> StartFailure | None:
    """Return the failure to pull an image of the task from this account's ECR, or None.

    An archived image cannot be pulled. A missing image is fetched if a pull-through cache rule covers its
    repository and the execution role may do so.
    """
    if not behaviours.on:
        return None
    for container in task.definition["containerDefinitions"]:
        location = _IMAGE.fullmatch(container["image"])
        if location is None or (location["account"], location["region"]) != (task.place.account, task.place.region):
            continue
        image_id = (
            {"imageDigest": location["digest"]} if location["digest"] else {"imageTag": location["tag"] or "latest"}
        )
        image = image_of(task.place, location["repository"], image_id)
        if image is None and not _has_rule(task, location["repository"]):
            continue  # users push no images to the emulator, so a missing one is taken as present
        if image is None and (missing := _missing_action(task, location["repository"])):
            return _pull_failure(container["image"], f"pull access denied: not authorized to perform: {missing}")
        if image is None:
            _fetch_from_upstream(task, location["repository"], image_id.get("imageTag", "latest"))
        elif status_of(task.place, location["repository"], image.image_digest) != ACTIVE:
            return _pull_failure(container["image"], f"{container['image']}: not found")
    return None


def _pull_failure(image: str, reason: str) -> StartFailure:
    """Return the failure to pull an image."""
    text = (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"
        f" {image}: {reason}"
    )
    return StartFailure(text, text)


def _has_rule(task: Task, repository: str) -> bool:
    """Return whether a pull-through cache rule covers a repository."""
    return any(prefix == "ROOT" or repository.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes(task.place))


def _missing_action(task: Task, repository: str) -> str:
    """Return the action that the execution role lacks to fetch an image into a repository; "" if none."""
    roles = backend("iam", task.place.account, "aws").roles.values()
    arn = f"arn:aws:ecr:{task.place.region}:{task.place.account}:repository/{repository}"
    execution_roles = [one for one in roles if one.arn == task.definition.get("executionRoleArn")]
    policies = [json.loads(text) for one in execution_roles for text in one.policies.values()]
    return next((one for one in _FILLS if not allows(policies, Request(one, arn))), "")


def _fetch_from_upstream(task: Task, repository: str, tag: str) -> None:
    """Put the image into the repository, as if fetched from upstream; create a missing repository."""
    repositories = backend("ecr", task.place.account, task.place.region).repositories
    if repository not in repositories:
        ask_moto(task.place, "ecr", "CreateRepository", repositoryName=repository)
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": {}, "layers": []}
    ask_moto(task.place, "ecr", "PutImage", repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)


checks.append(_image_failure)
