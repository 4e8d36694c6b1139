"""The names of container images: their syntax, and the parts of a name in a private ECR registry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from provisioner.errors import quoted

_ECR = re.compile(
    r"(?P<account>\d{12})\.(?P<service>dkr[.-]ecr(?:-fips)?)\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/(?P<repository>[^:@]+)"
)
_TAG_AND_DIGEST = re.compile(r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(?P<digest>\S+))?")
# The grammar of the registries: github.com/distribution/reference, reference.go.
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PATH_PART}(?:/{_PATH_PART})*(?::\w[\w.-]{{0,127}})?(?:@\w[\w+.-]*:[0-9a-fA-F]{{32,}})?", re.ASCII
)


def is_reference(image: str) -> bool:
    """Return whether the text has the syntax of an image name in a registry."""
    return bool(_REFERENCE.fullmatch(image))


def _check_reference(image: str) -> str:
    """Return the image name; raise ValueError if its syntax is wrong."""
    if not is_reference(image):
        raise ValueError(f"{quoted(image)} is no image: no registry has such a name")
    return image


Image = Annotated[str, AfterValidator(_check_reference)]


def images_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the images of all containers of a task definition; a task must pull all of them to start."""
    return [str(container["image"]) for container in definition["containerDefinitions"]]


def match_private_ecr(image: str) -> re.Match[str] | None:
    """Match an image in a private ECR registry; None if it is elsewhere.

    The match has the groups `account`, `service` (the endpoint), `region` and `repository`.
    """
    return _ECR.fullmatch(re.split(r"[:@]", image, maxsplit=1)[0])


def ecr_region(image: str) -> str:
    """Return the region of the private ECR registry of an image; "" for an image elsewhere.

    Also "" for a dual-stack or FIPS endpoint: a VPC endpoint of `ecr.dkr` does not stand for their names.
    """
    match = match_private_ecr(image)
    return match["region"] if match and match["service"] == "dkr.ecr" else ""


@dataclass(frozen=True)
class EcrImage:
    """An image in a private ECR registry: account, region, repository, and tag or digest ("" for none)."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, image: str) -> EcrImage | None:
        """Parse the name of an image; return None if the image is not in a private ECR registry."""
        match = match_private_ecr(image)
        if match is None:
            return None
        id_match = _TAG_AND_DIGEST.fullmatch(image, match.end())
        tag, digest = (id_match["tag"] or "", id_match["digest"] or "") if id_match else ("", "")
        return cls(match["account"], match["region"], match["repository"], tag, digest)

    @property
    def qualified(self) -> str:
        """The repository with account and region, which is unique among all registries."""
        return f"{self.account}.{self.region}/{self.repository}"

    @property
    def id(self) -> dict[str, str]:
        """The imageId for calls of ECR: the digest if the name has one, as in a pull, else the tag."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}
