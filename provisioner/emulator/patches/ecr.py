"""ECR: archived images, pull through cache rules, and calls to the registries of other accounts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply, access_denied
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import AccountRegion, Call

ACTIVE, ARCHIVED, ACTIVATING = "ACTIVE", "ARCHIVED", "ACTIVATING"
# Seconds that a restore takes; ECR user guide, "Restoring an image": up to 20 minutes, often less.
RESTORES = 600.0

_statuses: AccountStore[str] = AccountStore()  # by repository and digest: statuses other than ACTIVE
_rules: AccountStore[dict[str, Any]] = AccountStore()  # by repository prefix


@always.before("ecr", "*")
def refuse_foreign_registry(call: Call) -> None:
    """Refuse calls to another account's registry: no registry grants this account access."""
    registry = call.params.get("registryId") or call.account
    if registry != call.account:
        repository = f"repository/{call.params.get('repositoryName', '*')}"
        raise access_denied(call, resource=f"arn:aws:ecr:{call.region}:{registry}:{repository}")


def status_of(place: AccountRegion, repository: str, digest: str) -> str:
    """Return the status of an image: ACTIVE, ARCHIVED or ACTIVATING."""
    return _statuses.at(place.account, place.region).get(f"{repository}@{digest}", ACTIVE)


def image_of(place: AccountRegion, repository: str, image_id: dict[str, str]) -> Any:
    """Return moto's image with a tag or digest in a repository; None where there is none."""
    moto_repository = backend("ecr", place.account, place.region).repositories.get(repository)
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    images = moto_repository.images if moto_repository else []
    tagged = (image for image in images if tag in (None, *image.image_tags))
    return next((image for image in tagged if digest in (None, image.image_digest)), None)


@always.after("ecr", "DescribeImages")
def describe_images(call: Call, reply: Reply) -> None:
    """Add the status of images, and keep only those of the requested status, by default ACTIVE.

    Source: botocore ecr, DescribeImagesFilter.imageStatus.
    """
    status = call.params.get("filter", {}).get("imageStatus", ACTIVE)
    for details in reply["imageDetails"]:
        details["imageStatus"] = status_of(call.place, details["repositoryName"], details["imageDigest"])
    reply["imageDetails"] = [details for details in reply["imageDetails"] if status in ("ANY", details["imageStatus"])]


@always.before("ecr", "UpdateImageStorageClass")
def update_storage_class(call: Call) -> Reply:
    """Archive an image at once, or begin to restore one, which takes `RESTORES` seconds."""
    name, image_id = call.params["repositoryName"], call.params["imageId"]
    image = image_of(call.place, name, image_id)
    if image is None:
        raise AwsError("ImageNotFoundException", f"The image with imageId {image_id} does not exist.")
    key, is_archived = f"{name}@{image.image_digest}", call.params["targetStorageClass"] == "ARCHIVE"
    if is_archived == (status_of(call.place, name, image.image_digest) != ACTIVE):
        raise AwsError("ImageStorageClassUpdateNotSupportedException", "The image is in that class already.")
    _statuses.of(call)[key] = ARCHIVED if is_archived else ACTIVATING
    if not is_archived:
        clock.later(RESTORES, partial(_statuses.of(call).pop, key, None))
    reply = {"repositoryName": name, "imageId": image_id, "imageStatus": _statuses.of(call)[key]}
    return {"registryId": call.account, **reply}


@always.before("ecr", "PutImage")
def put_image(call: Call) -> Reply | None:
    """Restore at once an archived image that is pushed again (ECR user guide, "Restoring an image")."""
    name, params = call.params["repositoryName"], call.params
    image = image_of(call.place, name, {"imageTag": params["imageTag"]} if "imageTag" in params else {})
    if image is None or image.image_manifest != params["imageManifest"]:
        return None
    if _statuses.of(call).pop(f"{name}@{image.image_digest}", None) is None:
        return None
    reply = {"registryId": call.account, "repositoryName": name, "imageManifest": image.image_manifest}
    return {"image": {**reply, "imageId": {"imageTag": image.image_tag, "imageDigest": image.image_digest}}}


@always.before("ecr", "CreatePullThroughCacheRule")
def create_rule(call: Call) -> Reply:
    """Create a pull through cache rule; refuse a second one for the same prefix."""
    prefix = call.params["ecrRepositoryPrefix"]
    if prefix in _rules.of(call):
        raise AwsError("PullThroughCacheRuleAlreadyExistsException", f"A rule for the prefix {prefix} exists already.")
    _rules.of(call)[prefix] = {**call.params, "registryId": call.account, "createdAt": clock.now()}
    return _rules.of(call)[prefix]


@always.before("ecr", "DeletePullThroughCacheRule")
def delete_rule(call: Call) -> Reply:
    """Delete a pull through cache rule."""
    prefix = call.params["ecrRepositoryPrefix"]
    if prefix not in _rules.of(call):
        raise AwsError("PullThroughCacheRuleNotFoundException", f"There is no rule for the prefix {prefix}.")
    return _rules.of(call).pop(prefix)


@always.before("ecr", "DescribePullThroughCacheRules")
def describe_rules(call: Call) -> Reply:
    """List all pull through cache rules, or those of the requested prefixes."""
    requested = call.params.get("ecrRepositoryPrefixes")
    rules_by_prefix = _rules.of(call)
    if missing := [one for one in requested or [] if one not in rules_by_prefix]:
        raise AwsError("PullThroughCacheRuleNotFoundException", f"There is no rule for the prefix {missing[0]}.")
    return {
        "pullThroughCacheRules": [one for key, one in rules_by_prefix.items() if key in (requested or rules_by_prefix)]
    }


def prefixes(place: AccountRegion) -> Iterator[str]:
    """Yield the repository prefixes that have a pull through cache rule."""
    yield from _rules.at(place.account, place.region)
