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
from provisioner.iam.reference import described_services

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
# The services that are called, but in which a stack has no resources: a state is not pinned to their endpoints.
_SERVICES_WITHOUT_RESOURCES = frozenset(
    {"backup", "ecr", "pricing", "pricing-plan-manager", "resourcegroupstaggingapi", "service-quotas", "ssm", "sts"}
)
SERVICES = tuple(sorted(described_services() - _SERVICES_WITHOUT_RESOURCES))
# The service whose endpoint stands for those of all others.
_REFERENCE_SERVICE = "ec2"


@contextmanager
def explain_rejected_endpoint(service: str) -> Iterator[None]:
    """Name the settings that may hold an endpoint, if botocore rejects it in the block.

    Raises:
        UsageError: botocore cannot make a client of the service with this endpoint.

    """
    try:
        yield
    except ValueError as error:
        if isinstance(error, BotoCoreError):  # such as an invalid region, which has a message of its own
            raise
        variable = f"AWS_ENDPOINT_URL_{_service_id(service).upper().replace('-', '_')}"
        raise UsageError(
            f"The endpoint of {service} cannot be used: {error}.",
            f"Look at AWS_ENDPOINT_URL, {variable}, and `endpoint_url` and `services` of the profile: "
            "a whole URL, as https://host:port.",
        ) from error


def custom_endpoint(url: str) -> str:
    """Return the URL of an endpoint; "" if it is AWS's own."""
    return "" if (urlsplit(url).hostname or "").endswith(_AWS_DOMAINS) else url


def describe_endpoints(ec2_endpoint: str, session: Any) -> str:
    """Return all endpoints in use on one line: the usual one, then each service's that differs from it.

    botocore resolves them in this order: AWS_ENDPOINT_URL_<SERVICE>, the profile's `services` section, the
    endpoint for all services. The result is "" if all calls go to AWS.

    Args:
        ec2_endpoint: The endpoint at which EC2 is called.
        session: A botocore session.

    """
    others = [
        f"{service}={endpoint or 'AWS'}"
        for service, endpoint in _endpoints_by_service(session)
        if endpoint != custom_endpoint(ec2_endpoint)
    ]
    return " ".join(filter(None, [custom_endpoint(ec2_endpoint), *others]))


def _endpoints_by_service(session: Any) -> list[tuple[str, str]]:
    """Return each service but EC2 with its configured endpoint; "" stands for AWS."""
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return []
    full, scoped = session.full_config, session.get_scoped_config()
    configured = {
        service: ConfiguredEndpointProvider(full, scoped, _service_id(service)).provide() for service in SERVICES
    }
    return [
        (service, _check_url(service, str(url)) if url else "")
        for service, url in configured.items()
        if service != _REFERENCE_SERVICE
    ]


def _check_url(service: str, url: str) -> str:
    """Return an endpoint as `custom_endpoint` does; raise UsageError if it is not a valid URL."""
    with explain_rejected_endpoint(service):
        if not is_valid_endpoint_url(url):
            raise ValueError(f"Invalid endpoint: {url}")
        return custom_endpoint(url)


def _service_id(service: str) -> str:
    """Return the name by which botocore looks up a service's endpoint: the service ID."""
    return {"elbv2": "elastic_load_balancing_v2"}.get(service, service)
