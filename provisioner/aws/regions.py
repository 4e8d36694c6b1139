"""The region of a command: which source names it, and whether AWS has it; known before any call."""

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
    """A region, and the source that named it."""

    name: str
    source: str


def choose_region(flag: str | None, *, local: bool = False) -> Region:
    """Return the region from the first source that names one.

    The sources are the flag, AWS_REGION, AWS_DEFAULT_REGION, the profile, and at last the default. Local AWS
    belongs to no account of the user: with `local`, the environment and the profile do not count.

    Raises:
        UsageError: There is no such region, or its partition lacks a service that the stack needs.

    """
    if flag:
        return _check_region(Region(flag, "--region"))
    if local:
        return Region(SEED_REGION, "the default of --local")
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(variable):
            return _check_region(Region(os.environ[variable], variable))
    try:
        configured = botocore.session.Session().get_config_variable("region")
    except (ProfileNotFound, ConfigParseError):
        configured = None
    if configured:
        return _check_region(Region(configured, "the AWS profile"))
    return Region(SEED_REGION, "the default")


def _check_region(region: Region) -> Region:
    """Check a region, and return it.

    Raises:
        UsageError: botocore's partitions do not list it, or its partition lacks a service.

    """
    partitions = _partition_by_region()
    if region.name in partitions:
        check_partition(partitions[region.name], region.name)
    else:
        similar = difflib.get_close_matches(region.name.lower(), partitions, n=3, cutoff=0.5)
        # Two swapped letters are the commonest slip: a region with the same letters comes first.
        similar.sort(key=lambda name: sorted(name) != sorted(region.name.lower()))
        suggestion = " or ".join(f"`--region {name}`" for name in similar)
        raise UsageError(
            f"There is no AWS region {region.name} (said by {region.source}).",
            f"Did you mean {suggestion}?" if suggestion else f"There are: {', '.join(sorted(partitions))}.",
        )
    return region


def check_partition(partition: str, region: str) -> None:
    """Raise UsageError for a partition that lacks a service of the stack."""
    if partition != "aws":
        raise UsageError(
            f"{region} is in the partition {partition}, which has no CloudFront with AWS's own certificate; "
            "this stack needs it."
        )


def is_in_partition(partition: str, region: str) -> bool:
    """Return whether a region lies in a partition; a region that botocore does not list may lie in any."""
    return _partition_by_region().get(region, partition) == partition


@functools.cache
def _partition_by_region() -> dict[str, str]:
    """Return the partition of each region by botocore's own data: the user's profile may be unreadable."""
    partitions = Loader().load_data("partitions")["partitions"]
    return {
        region: partition["id"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")
    }
