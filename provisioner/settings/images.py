"""Where an image lies."""

from __future__ import annotations

import re

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)"
)


def private_ecr(image: str) -> re.Match[str] | None:
    """Account, region and repository of an image in a private ECR; None where it lies elsewhere."""
    return _ECR.fullmatch(re.split(r"[:@]", image, maxsplit=1)[0])


def ecr_region(image: str) -> str:
    """The region of the private ECR that an image lies in; empty where it lies elsewhere."""
    found = private_ecr(image)
    return found["region"] if found else ""
