"""Images in a private ECR: whether a task could pull each, and the digest that its tag stands for now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.explain import excused
from provisioner.engine.faults import code_of
from provisioner.errors import Blocked, ProvisionerError, UsageError
from provisioner.preflight.pull_rules import rule_of, rules
from provisioner.regions import is_of
from provisioner.settings.images import EcrImage

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {"ecr": ("DescribeImages",)}
_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")
# An ECR that knows no filter by status.
_NO_FILTER = "InvalidParameterException"
# The one that a stack can be in; the others take no credentials of it.
_PARTITION = "aws"
# botocore ecr ImageStatus; the others are ours: not there, fetched by ECR at the first pull, not told.
ACTIVE, ARCHIVED, ACTIVATING = "ACTIVE", "ARCHIVED", "ACTIVATING"
ABSENT, CACHED, CLOSED, NOT_ASKED = "ABSENT", "CACHED", "CLOSED", "NOT_ASKED"
# ECR user guide, "Restoring an image".
RESTORE_MINUTES = 20


@dataclass(frozen=True)
class Pullable:
    """One image and whether a task could pull it: the status of it in ECR, or one of the three above.

    `digest` is what it stands for, where ECR tells it; `detail` is what more there is to say of the status.
    """

    image: str
    place: EcrImage
    status: str
    digest: str = ""
    detail: str = ""
    is_owned: bool = True

    @property
    def blocks(self) -> bool:
        """Whether no task can pull it as it is."""
        return self.status in (ARCHIVED, ACTIVATING, ABSENT, CLOSED)

    @property
    def pinned(self) -> str:
        """The image by its digest, where ECR told that; else as it was given."""
        if self.place.digest or not self.digest:
            return self.image
        return f"{self.image.removesuffix(f':{self.place.tag}')}@{self.digest}"

    @property
    def what(self) -> str:
        """What there is to know of it, as a sentence without its end; "" where it can be pulled."""
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
        return known.get(
            self.status, f"ECR says {self.status} of {self.image}, which this version does not know"
        )

    @property
    def clause(self) -> str:
        """The same within a sentence."""
        return self.what[:1].lower() + self.what[1:]

    @property
    def command(self) -> str:
        """What to type: how it is restored, else how ECR tells of it."""
        show, one = self._command("describe-images"), ",".join(f"{k}={v}" for k, v in self.place.id.items())
        if self.status == ARCHIVED:
            restore = self._command("update-image-storage-class")
            return f"{restore} --image-id {one} --target-storage-class STANDARD"
        if self.status == ACTIVATING:
            return f"{show} --image-ids {one} --filter imageStatus=ANY"
        return show

    @property
    def hint(self) -> str:
        """What to do about one that cannot be pulled, or how long to wait."""
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
        """Return the refusal of whatever would have a task pull it."""
        kind = UsageError if self.status == ABSENT else Blocked
        return kind(f"{self.what}. Nothing was changed.", self.hint)

    def _command(self, verb: str) -> str:
        other = "" if self.is_owned else f" --registry-id {self.place.account}"
        where = f"--repository-name {self.place.repository} --region {self.place.region}{other}"
        return f"aws ecr {verb} {where}"


def look(
    clients: Clients, image: str, account: str, *, must: bool = False, has_way_out: bool = True
) -> Pullable | None:
    """Return whether a task could pull an image; None where it lies in no private ECR.

    Another account's registry, or another region's, may refuse to tell: that is a status of its own, and no
    error. So may the account's own, unless it `must` tell. Where tasks have no way out to the internet, what
    is to be fetched at the first pull is not.
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
        known = excused(error, f"looking for {image}")
        if must and asked.is_owned and place.region == clients.aws.region:
            raise
        return replace(asked, detail=known.message)


def _looked(clients: Clients, asked: Pullable) -> Pullable:
    """DescribeImages: of those that can be pulled, then, where it is not among them, of all."""
    pullable = _described(clients, asked.place)
    found = pullable or _described(clients, asked.place, imageStatus="ANY")
    if found:
        doc = found[0]
        return replace(asked, status=doc.get("imageStatus", ACTIVE), digest=doc.get("imageDigest", ""))
    if (pullable, found) == (None, None):
        return _fetched(clients, asked)
    # ECR knows it, and tells no more of it: so it answers of one that is archived.
    return replace(asked, status=ARCHIVED)


def _described(clients: Clients, place: EcrImage, **filters: str) -> list[dict[str, Any]] | None:
    """Return the details that ECR tells of an image, which may be none; None where it knows no such image."""
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
    """Return whether a pull-through-cache rule brings what is not there at its first pull."""
    try:
        rule = rule_of(rules(clients, asked.place), asked.place.repository)
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        known = excused(error, "looking at the pull-through-cache rules")
        if not asked.is_owned:
            return replace(asked, detail=known.message)
        words = f"Whether a pull-through-cache rule would fetch it was not asked: {known.message}"
        return replace(asked, status=ABSENT, detail=words)
    if rule is None:
        return replace(asked, status=ABSENT)
    return replace(asked, status=CACHED, detail=rule.source(asked.place.repository))
