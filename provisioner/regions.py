"""Which region is meant, who said so, and whether AWS has it: known before any call."""

from __future__ import annotations

import difflib
import functools
import os
from dataclasses import dataclass

import botocore.session
from botocore.exceptions import ConfigParseError, ProfileNotFound
from botocore.loaders import Loader

from provisioner.errors import UsageError

SEED_REGION = "us-east-1"


@dataclass(frozen=True)
class Region:
    """A region and where it was said."""

    name: str
    source: str


def choose_region(flag: str | None, *, local: bool = False) -> Region:
    """The region by rising distance: flag, AWS_REGION, AWS_DEFAULT_REGION, the profile, the seed's.

    The local AWS is nobody's account: what the environment says of the user's does not count there.
    """
    if flag:
        return _checked(Region(flag, "--region"))
    if local:
        return Region(SEED_REGION, "the default of --local")
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(variable):
            return _checked(Region(os.environ[variable], variable))
    try:
        configured = botocore.session.Session().get_config_variable("region")
    except (ProfileNotFound, ConfigParseError):
        configured = None
    if configured:
        return _checked(Region(configured, "the AWS profile"))
    return Region(SEED_REGION, "the default")


def _checked(region: Region) -> Region:
    """The region itself; UsageError with the nearest ones where botocore's partitions do not list it."""
    known = _known()
    if region.name in known:
        check_partition(known[region.name], region.name)
    else:
        near = difflib.get_close_matches(region.name.lower(), known, n=3, cutoff=0.5)
        # Two letters in the wrong order are the commonest slip: what has the same letters is meant first.
        near.sort(key=lambda name: sorted(name) != sorted(region.name.lower()))
        told = " or ".join(f"`--region {name}`" for name in near)
        raise UsageError(
            f"There is no AWS region {region.name} (said by {region.source}).",
            f"Did you mean {told}?" if told else f"There are: {', '.join(sorted(known))}.",
        )
    return region


def check_partition(partition: str, region: str) -> None:
    """Raise UsageError for a partition where a service of the stack is missing."""
    if partition != "aws":
        raise UsageError(
            f"{region} is in the partition {partition}, which has no CloudFront with AWS's own certificate; "
            "this stack needs it."
        )


def is_of(partition: str, region: str) -> bool:
    """Return whether a region lies in a partition; one that botocore does not list may lie in any."""
    return _known().get(region, partition) == partition


@functools.cache
def _known() -> dict[str, str]:
    """The partition of each region of botocore's own data: the user's profile may be unreadable."""
    partitions = Loader().load_data("partitions")["partitions"]
    listed = {name: partition["id"] for partition in partitions for name in partition["regions"]}
    return {name: partition for name, partition in listed.items() if not name.endswith("-global")}
