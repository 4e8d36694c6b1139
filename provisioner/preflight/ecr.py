"""Images in a private ECR registry: whether a task could pull an image, and the digest of its tag now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws.regions import is_of
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.errors import Blocked, UsageError
from provisioner.preflight.pull_rules import rule_of, rules
from provisioner.settings.images import EcrImage
from state.errors import ProvisionerError

# The calls of this module by service; `policy` grants them. tests/resources/test_declared_calls.py compares
# it with the source.
CALLS = {"ecr": ("DescribeImages",)}
_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")
# The error code of an ECR that does not know the filter by image status.
_NO_FILTER = "InvalidParameterException"
# The only partition that a stack can be in; other partitions do not accept its credentials.
_PARTITION = "aws"
# The values of botocore's ecr ImageStatus, then our own: the image does not exist, ECR fetches it at the
# first pull, ECR cannot fetch it as there is no way to the internet, ECR was not asked or did not answer.
ACTIVE, ARCHIVED, ACTIVATING = "ACTIVE", "ARCHIVED", "ACTIVATING"
ABSENT, CACHED, CLOSED, NOT_ASKED = "ABSENT", "CACHED", "CLOSED", "NOT_ASKED"
# ECR user guide, "Restoring an image".
RESTORE_MINUTES = 20


@dataclass(frozen=True)
class Pullable:
    """An image in a private ECR registry, and whether a task could pull it.

    Args:
        image: The image as it was given.
        place: Its registry, repository, and tag or digest.
        status: One of the statuses above: ECR's ImageStatus or one of our own.
        digest: The digest of the image, if ECR told it.
        detail: More about the status: a reason, or the registry from which ECR fetches the image.
        is_owned: Whether the registry belongs to the account of the stack.

    """

    image: str
    place: EcrImage
    status: str
    digest: str = ""
    detail: str = ""
    is_owned: bool = True

    @property
    def blocks(self) -> bool:
        """Whether no task can pull the image as it is."""
        return self.status in (ARCHIVED, ACTIVATING, ABSENT, CLOSED)

    @property
    def pinned(self) -> str:
        """The image with its digest instead of its tag, if ECR told the digest; else the image as given."""
        if self.place.digest or not self.digest:
            return self.image
        return f"{self.image.removesuffix(f':{self.place.tag}')}@{self.digest}"

    @property
    def what(self) -> str:
        """The problem with the image, as a sentence without its full stop; "" if it can be pulled."""
        known = {
            ACTIVE: "",
            ARCHIVED: f"The image {self.image} is archived in ECR: no task can pull it",
            ACTIVATING: f"The image {self.image} is being restored in ECR: no task can pull it yet",
            ABSENT: f"There is no image {self.image} in ECR",
            CACHED: f"There is no image {self.image} in ECR yet: the first pull brings it from {self.detail}",
            # ECR user guide, "Considerations for Amazon ECR VPC endpoints".
            CLOSED: f"There is no image {self.image} in ECR yet, and without NAT its first pull fails",
            NOT_ASKED: f"Whether {self.image} can be pulled was not asked: {self.detail}",
        }
        return known.get(self.status, f"ECR says {self.status} of {self.image}, which this version does not know")

    @property
    def clause(self) -> str:
        """The same text with a small first letter, for use inside a sentence."""
        return self.what[:1].lower() + self.what[1:]

    @property
    def command(self) -> str:
        """The AWS CLI command that restores an archived image, or that shows the image or its repository."""
        show, one = self._command("describe-images"), ",".join(f"{k}={v}" for k, v in self.place.id.items())
        if self.status == ARCHIVED:
            restore = self._command("update-image-storage-class")
            return f"{restore} --image-id {one} --target-storage-class STANDARD"
        if self.status == ACTIVATING:
            return f"{show} --image-ids {one} --filter imageStatus=ANY"
        return show

    @property
    def hint(self) -> str:
        """What a person can do about an image that cannot be pulled, or how long to wait."""
        if self.status == ARCHIVED:
            return (
                f"Restore it: `{self.command}`. That takes up to {RESTORE_MINUTES} minutes; pushing it again "
                "restores it at once."
            )
        if self.status == ACTIVATING:
            return f"Wait: it takes up to {RESTORE_MINUTES} minutes. `{self.command}` says ACTIVE then."
        if self.status == CLOSED:
            return (
                f"Pull it once from a machine with a way out (`docker pull {self.image}`): ECR has it "
                f"from {self.detail} then. Or keep `network.nat=one`."
            )
        return f"`{self.command}` lists what there is.{f' {self.detail}' if self.detail else ''}"

    def error(self) -> ProvisionerError:
        """Return the error for a command that would make a task pull this image."""
        kind = UsageError if self.status == ABSENT else Blocked
        return kind(f"{self.what}. Nothing was changed.", self.hint)

    def _command(self, verb: str) -> str:
        """Return an `aws ecr` command for the repository of the image."""
        other = "" if self.is_owned else f" --registry-id {self.place.account}"
        where = f"--repository-name {self.place.repository} --region {self.place.region}{other}"
        return f"aws ecr {verb} {where}"


def check_image(
    clients: Clients, image: str, account: str, *, must: bool = False, has_way_out: bool = True
) -> Pullable | None:
    """Return whether a task could pull an image; None if it is not in a private ECR registry.

    The registry of another account or region may refuse to answer. The result is then the status NOT_ASKED,
    and no error is raised.

    Args:
        clients: The clients to ask AWS with.
        image: The image as a task definition names it.
        account: The account of the stack.
        must: Raise the error of a call if the registry belongs to the stack's own account and region.
        has_way_out: Whether tasks reach the internet. Without that, ECR cannot fetch an image at its first
            pull.

    """
    place = EcrImage.of(image)
    if place is None:
        return None
    asked = Pullable(image, place, NOT_ASKED, is_owned=place.account == account)
    if not is_of(_PARTITION, place.region):
        return replace(asked, detail=f"{place.region} is of another partition")
    try:
        found = _looked(clients, asked)
        return replace(found, status=CLOSED) if found.status == CACHED and not has_way_out else found
    except Exception as error:
        known = describe_refusal(error, f"looking for {image}")
        if must and asked.is_owned and place.region == clients.aws.region:
            raise
        return replace(asked, detail=known.message)


def _looked(clients: Clients, asked: Pullable) -> Pullable:
    """Return the image as DescribeImages knows it: among images that can be pulled, else among all images."""
    pullable = _described(clients, asked.place)
    found = pullable or _described(clients, asked.place, imageStatus="ANY")
    if found:
        doc = found[0]
        return replace(asked, status=doc.get("imageStatus", ACTIVE), digest=doc.get("imageDigest", ""))
    if (pullable, found) == (None, None):
        return _fetched(clients, asked)
    # ECR knows the image but returns no details of it, as it does for an archived image.
    return replace(asked, status=ARCHIVED)


def _described(clients: Clients, place: EcrImage, **filters: str) -> list[dict[str, Any]] | None:
    """Return the details that ECR has of an image, which may be none; None if ECR does not know the image."""
    ecr = clients.client("ecr", place.region)
    asked: dict[str, Any] = {"repositoryName": place.repository, "imageIds": [place.id]}
    if filters:
        asked["filter"] = filters
    try:
        return list(ecr.describe_images(registryId=place.account, **asked).get("imageDetails") or [])
    except ClientError as error:
        if code_of(error) not in _ABSENT and not (filters and code_of(error) == _NO_FILTER):
            raise
        return None


def _fetched(clients: Clients, asked: Pullable) -> Pullable:
    """Return whether a pull-through-cache rule makes ECR fetch a missing image at its first pull."""
    try:
        rule = rule_of(rules(clients, asked.place), asked.place.repository)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        known = describe_refusal(error, "looking at the pull-through-cache rules")
        if not asked.is_owned:
            return replace(asked, detail=known.message)
        words = f"Whether a pull-through-cache rule would fetch it was not asked: {known.message}"
        return replace(asked, status=ABSENT, detail=words)
    if rule is None:
        return replace(asked, status=ABSENT)
    return replace(asked, status=CACHED, detail=rule.source(asked.place.repository))
