"""The endpoints that the environment and the profile set in place of AWS's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.utils import is_valid_endpoint_url

from provisioner.errors import UsageError

# The DNS suffixes of AWS's partitions (botocore data/partitions.json, 1.44.5).
_AWS_DOMAINS = (
    *(".amazonaws.com", ".api.aws", ".amazonaws.com.cn", ".amazonwebservices.com.cn"),
    *(
        ".amazonaws.eu",
        ".amazonwebservices.eu",
        ".c2s.ic.gov",
        ".aws.ic.gov",
        ".sc2s.sgov.gov",
        ".aws.scloud",
    ),
    *(".cloud.adc-e.uk", ".cloud-aws.adc-e.uk", ".csp.hci.ic.gov", ".aws.hci.ic.gov"),
)
# The services in which a stack has resources; tests/state/test_foreign_buckets.py compares them with the types.
SERVICES = (
    *("acm", "application-autoscaling", "cloudfront", "cloudwatch", "dynamodb", "ec2", "ecs", "elbv2"),
    *("events", "iam", "kms", "logs", "rds", "route53", "s3", "secretsmanager", "sns", "wafv2"),
)
# The service whose endpoint stands for those of all others.
_USUAL = "ec2"


@contextmanager
def named(service: str) -> Iterator[None]:
    """Name the settings that may hold an endpoint, if botocore rejects it in the block.

    Raises:
        UsageError: botocore cannot make a client of the service with this endpoint.

    """
    try:
        yield
    except ValueError as error:
        if isinstance(error, BotoCoreError):  # such as an invalid region, which has a message of its own
            raise
        one = f"AWS_ENDPOINT_URL_{_model(service).upper().replace('-', '_')}"
        raise UsageError(
            f"The endpoint of {service} cannot be used: {error}.",
            f"Look at AWS_ENDPOINT_URL, {one}, and `endpoint_url` and `services` of the profile: "
            "a whole URL, as https://host:port.",
        ) from error


def foreign(url: str) -> str:
    """Return the URL of an endpoint; "" if it is AWS's own."""
    return "" if (urlsplit(url).hostname or "").endswith(_AWS_DOMAINS) else url


def told(usual: str, session: Any) -> str:
    """Return all endpoints in use on one line: the usual one, then each service's that differs from it.

    botocore resolves them in this order: AWS_ENDPOINT_URL_<SERVICE>, the profile's `services` section, the
    endpoint for all services. The result is "" if all calls go to AWS.

    Args:
        usual: The endpoint at which EC2 is called.
        session: A botocore session.

    """
    rest = [f"{name}={at or 'AWS'}" for name, at in _others(session) if at != foreign(usual)]
    return " ".join(filter(None, [foreign(usual), *rest]))


def _others(session: Any) -> list[tuple[str, str]]:
    """Return each service but EC2 with its configured endpoint; "" stands for AWS."""
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return []
    full, scoped = session.full_config, session.get_scoped_config()
    told = {name: ConfiguredEndpointProvider(full, scoped, _model(name)).provide() for name in SERVICES}
    return [(name, _checked(name, str(url)) if url else "") for name, url in told.items() if name != _USUAL]


def _checked(service: str, url: str) -> str:
    """Return an endpoint as `foreign` does; raise UsageError if it is not a valid URL."""
    with named(service):
        if not is_valid_endpoint_url(url):
            raise ValueError(f"Invalid endpoint: {url}")
        return foreign(url)


def _model(name: str) -> str:
    """Return the name by which botocore looks up a service's endpoint: the service ID."""
    return {"elbv2": "elastic_load_balancing_v2"}.get(name, name)
