"""Where an image lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

_ECR = re.compile(
    r"(?P<account>\d{12})\.(?P<service>dkr[.-]ecr(?:-fips)?)\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/(?P<repository>[^:@]+)"
)
_ID = re.compile(r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(?P<digest>\S+))?")
# The grammar of the registries: github.com/distribution/reference, reference.go.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@\w[\w+.-]*:[0-9a-fA-F]{{32,}})?", re.ASCII
)


def is_reference(image: str) -> bool:
    """Whether a registry could have an image of that name."""
    return bool(_REFERENCE.fullmatch(image))


def _named(image: str) -> str:
    if not is_reference(image):
        raise ValueError(f"{image!r} is no image: no registry has such a name")
    return image


Image = Annotated[str, AfterValidator(_named)]


def images_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the images of all containers of a task definition: a task starts where each can be pulled."""
    return [str(one["image"]) for one in definition["containerDefinitions"]]


def private_ecr(image: str) -> re.Match[str] | None:
    """Account, region and repository of an image in a private ECR; None where it lies elsewhere."""
    return _ECR.fullmatch(re.split(r"[:@]", image, maxsplit=1)[0])


def ecr_region(image: str) -> str:
    """The region of the private ECR whose endpoint an image is pulled through; empty for any other name.

    The names of the dual-stack and FIPS endpoints are others than a VPC endpoint of `ecr.dkr` stands for.
    """
    found = private_ecr(image)
    return found["region"] if found and found["service"] == "dkr.ecr" else ""


@dataclass(frozen=True)
class EcrImage:
    """An image in a private ECR: its registry, its repository, and the tag or digest that it is named by."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, image: str) -> EcrImage | None:
        """Return the parts of an image's name; None where it lies in no private ECR."""
        found = private_ecr(image)
        if found is None:
            return None
        named = _ID.fullmatch(image, found.end())
        tag, digest = (named["tag"] or "", named["digest"] or "") if named else ("", "")
        return cls(found["account"], found["region"], found["repository"], tag, digest)

    @property
    def qualified(self) -> str:
        """The repository with its registry, which tells it from all others."""
        return f"{self.account}.{self.region}/{self.repository}"

    @property
    def id(self) -> dict[str, str]:
        """The imageId of ECR's calls; a digest decides, as it does when the image is pulled."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}
