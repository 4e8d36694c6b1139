"""Where calls go that do not go to AWS itself: what the environment and the profile name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from botocore.configprovider import ConfiguredEndpointProvider

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
# The services in which a stack has resources; tests/test_foreign_buckets.py holds them against the types.
SERVICES = (
    *("acm", "application-autoscaling", "cloudfront", "cloudwatch", "dynamodb", "ec2", "ecs", "elbv2"),
    *("events", "iam", "kms", "logs", "rds", "route53", "s3", "secretsmanager", "sns", "wafv2"),
)
# Whose endpoint stands for those of all others.
_USUAL = "ec2"


def foreign(url: str) -> str:
    """Return the endpoint; "" where it is AWS's own."""
    return "" if (urlsplit(url).hostname or "").endswith(_AWS_DOMAINS) else url


def told(usual: str, session: Any) -> str:
    """Return all endpoints in use in one line: the usual one, and behind it each service's that is another.

    As botocore resolves them: AWS_ENDPOINT_URL_<SERVICE>, then the profile's `services` section, then what is
    for all. "" where all calls go to AWS.

    Args:
        usual: The endpoint that EC2 is called at.
        session: A botocore session.

    """
    rest = [f"{name}={at or 'AWS'}" for name, at in _others(session) if at != foreign(usual)]
    return " ".join(filter(None, [foreign(usual), *rest]))


def _others(session: Any) -> list[tuple[str, str]]:
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return []
    full, scoped = session.full_config, session.get_scoped_config()
    named = {name: ConfiguredEndpointProvider(full, scoped, _model(name)).provide() for name in SERVICES}
    return [(name, foreign(str(url)) if url else "") for name, url in named.items() if name != _USUAL]


def _model(name: str) -> str:
    """What botocore calls a service where it looks for its endpoint: by its service id."""
    return {"elbv2": "elastic_load_balancing_v2"}.get(name, name)
