"""Images in a private ECR registry: whether a task could pull an image, and the digest of its tag now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws.regions import is_in_partition
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Blocked, UsageError
from provisioner.preflight.finding import Finding, address_of
from provisioner.preflight.pull_rules import read_rules, rule_for
from provisioner.service_clients import ECR
from provisioner.settings.images import EcrImage, images_of
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
class PrivateImage:
    """An image in a private ECR registry, and whether a task could pull it.

    Args:
        image: The image as it was given.
        location: Its registry, repository, and tag or digest.
        status: One of the statuses above: ECR's ImageStatus or one of our own.
        digest: The digest of the image, if ECR told it.
        detail: More about the status: a reason, or the registry from which ECR fetches the image.
        is_owned: Whether the registry belongs to the account of the stack.

    """

    image: str
    location: EcrImage
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
        if self.location.digest or not self.digest:
            return self.image
        return f"{self.image.removesuffix(f':{self.location.tag}')}@{self.digest}"

    @property
    def problem(self) -> str:
        """The problem with the image, as a sentence without its full stop; "" if it can be pulled."""
        problems = {
            ACTIVE: "",
            ARCHIVED: f"The image {self.image} is archived in ECR: no task can pull it",
            ACTIVATING: f"The image {self.image} is being restored in ECR: no task can pull it yet",
            ABSENT: f"There is no image {self.image} in ECR",
            CACHED: f"There is no image {self.image} in ECR yet: the first pull brings it from {self.detail}",
            # ECR user guide, "Considerations for Amazon ECR VPC endpoints".
            CLOSED: f"There is no image {self.image} in ECR yet, and without NAT its first pull fails",
            NOT_ASKED: f"Whether {self.image} can be pulled was not asked: {self.detail}",
        }
        return problems.get(self.status, f"ECR says {self.status} of {self.image}, which this version does not know")

    @property
    def clause(self) -> str:
        """The same text with a small first letter, for use inside a sentence."""
        return self.problem[:1].lower() + self.problem[1:]

    @property
    def command(self) -> str:
        """The AWS CLI command that restores an archived image, or that shows the image or its repository."""
        describe, image_id = self._command("describe-images"), ",".join(f"{k}={v}" for k, v in self.location.id.items())
        if self.status == ARCHIVED:
            restore = self._command("update-image-storage-class")
            return f"{restore} --image-id {image_id} --target-storage-class STANDARD"
        if self.status == ACTIVATING:
            return f"{describe} --image-ids {image_id} --filter imageStatus=ANY"
        return describe

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
        error_class = UsageError if self.status == ABSENT else Blocked
        return error_class(f"{self.problem}. Nothing was changed.", self.hint)

    def _command(self, operation: str) -> str:
        """Return an `aws ecr` command for the repository of the image."""
        registry = "" if self.is_owned else f" --registry-id {self.location.account}"
        options = f"--repository-name {self.location.repository} --region {self.location.region}{registry}"
        return f"aws ecr {operation} {options}"


def check_image(
    clients: Clients, image: str, account: str, *, must_answer: bool = False, has_internet: bool = True
) -> PrivateImage | None:
    """Return whether a task could pull an image; None if it is not in a private ECR registry.

    The registry of another account or region may refuse to answer. The result is then the status NOT_ASKED,
    and no error is raised.

    Args:
        clients: The clients to ask AWS with.
        image: The image as a task definition names it.
        account: The account of the stack.
        must_answer: Raise the error of a call if the registry belongs to the stack's own account and region.
        has_internet: Whether tasks reach the internet. Without that, ECR cannot fetch an image at its first
            pull.

    """
    location = EcrImage.of(image)
    if location is None:
        return None
    unanswered = PrivateImage(image, location, NOT_ASKED, is_owned=location.account == account)
    if not is_in_partition(_PARTITION, location.region):
        return replace(unanswered, detail=f"{location.region} is of another partition")
    try:
        answered = _look_up_image(clients, unanswered)
    except Exception as error:
        refusal = describe_refusal(error, f"looking for {image}")
        if must_answer and unanswered.is_owned and location.region == clients.aws.region:
            raise
        return replace(unanswered, detail=refusal.message)
    return replace(answered, status=CLOSED) if answered.status == CACHED and not has_internet else answered


def _look_up_image(clients: Clients, image: PrivateImage) -> PrivateImage:
    """Return the image as DescribeImages knows it: among images that can be pulled, else among all images."""
    pullable = _describe_image(clients, image.location)
    known = pullable or _describe_image(clients, image.location, imageStatus="ANY")
    if known:
        details = known[0]
        return replace(image, status=details.get("imageStatus", ACTIVE), digest=details.get("imageDigest", ""))
    if pullable is None and known is None:
        return _look_up_cache_rule(clients, image)
    # ECR knows the image but returns no details of it, as it does for an archived image.
    return replace(image, status=ARCHIVED)


def _describe_image(clients: Clients, location: EcrImage, **filters: str) -> list[JsonObject] | None:
    """Return the details that ECR has of an image, which may be none; None if ECR does not know the image."""
    ecr = clients.client(ECR, location.region)
    request: dict[str, Any] = {"repositoryName": location.repository, "imageIds": [location.id]}
    if filters:
        request["filter"] = filters
    try:
        return list(ecr.describe_images(registryId=location.account, **request).get("imageDetails") or [])
    except ClientError as error:
        if code_of(error) not in _ABSENT and not (filters and code_of(error) == _NO_FILTER):
            raise
        return None


def _look_up_cache_rule(clients: Clients, image: PrivateImage) -> PrivateImage:
    """Return whether a pull-through-cache rule makes ECR fetch a missing image at its first pull."""
    try:
        rule = rule_for(read_rules(clients, image.location), image.location.repository)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        refusal = describe_refusal(error, "looking at the pull-through-cache rules")
        if not image.is_owned:
            return replace(image, detail=refusal.message)
        detail = f"Whether a pull-through-cache rule would fetch it was not asked: {refusal.message}"
        return replace(image, status=ABSENT, detail=detail)
    if rule is None:
        return replace(image, status=ABSENT)
    return replace(image, status=CACHED, detail=rule.upstream_of(image.location.repository))


def check_images(plan: Plan, clients: Clients, account: str) -> Iterator[Finding]:
    """Yield the images that no task could pull, and new images about which ECR did not answer.

    Such an image blocks a task definition that is to be created. For an existing task definition it is a
    warning: running tasks go on, but no further task can start.
    """
    has_nat = any(str(resource.type) == "NatGateway" for resource in plan.stack)
    for resource in plan.stack:
        change = plan.changes.get(resource.logical_id)
        if change is None or str(resource.type) != "TaskDefinition":
            continue
        is_new = change.action in ("create", "replace", "update")
        for name in dict.fromkeys(images_of(resource.props)):
            image = check_image(clients, name, account, has_internet=has_nat)
            if image and image.blocks:
                yield Finding(address_of(resource), image.clause, image.hint, is_blocking=is_new)
            elif image and image.problem and is_new:
                yield Finding(address_of(resource), image.clause, is_blocking=False)
