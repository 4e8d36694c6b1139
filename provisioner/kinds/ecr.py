"""An image by what cannot be moved: the digest that a tag stands for now."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.faults import code_of
from provisioner.errors import UsageError
from provisioner.settings.images import private_ecr

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {"ecr": ("DescribeImages",)}
_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")
_TAG = re.compile(r":(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*)$")


def pinned(clients: Clients, image: str, account: str) -> str:
    """DescribeImages: an image of this account's ECR by its digest; any other as it is given."""
    found = private_ecr(image)
    if found is None or found["account"] != account or "@" in image:
        return image
    tag = _TAG.search(image)
    asked = [{"imageTag": tag["tag"] if tag else "latest"}]
    ecr = clients.client("ecr", found["region"])
    try:
        told = ecr.describe_images(registryId=account, repositoryName=found["repository"], imageIds=asked)[
            "imageDetails"
        ]
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise
        raise UsageError(
            f"There is no image {image} in ECR.",
            f"`aws ecr describe-images --repository-name {found['repository']} --region {found['region']}` "
            "lists what there is.",
        ) from error
    return f"{_TAG.sub('', image)}@{told[0]['imageDigest']}"
