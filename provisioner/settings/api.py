"""The settings of the load balancer's routes: path prefixes, and further services with their own prefixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provisioner.errors import quoted
from provisioner.path_patterns import narrowest_first, unreachable
from provisioner.settings.container import HealthPath
from provisioner.settings.images import Image
from provisioner.settings.section import MAX_EXACT_INTEGER, Incompatible, Section
from provisioner.settings.variables import Secrets, Variables

# Elastic Load Balancing quotas: 100 rules for each balancer, 5 wildcards for each rule. Two of the 100 rules
# serve the error pages, and one may refuse all requests that do not come from CloudFront.
_MAX_PREFIXES, _MAX_WILDCARDS = 97, 5
# The paths from which CloudFront fetches its error pages; their rules come before the rules of all prefixes.
ERROR_PAGES = {403: "/errors/403.html", 404: "/errors/404.html"}


def _check_wildcards(prefix: str) -> str:
    """Return the path prefix; raise ValueError if it has more wildcards than a listener rule takes."""
    count = prefix.count("*") + prefix.count("?")
    if count > _MAX_WILDCARDS:
        raise ValueError(f"{quoted(prefix)} has {count} wildcards; a listener rule takes {_MAX_WILDCARDS}")
    return prefix


# Patterns that a listener rule and nginx read in the same way (botocore elbv2 RuleCondition: 128 characters,
# `*` and `?` are wildcards).
Prefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/?*-]*$", max_length=128), AfterValidator(_check_wildcards)]
ServiceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=24)]


class ApiService(Section):
    """The settings of a further service; a setting that is None has the value of the main service."""

    prefixes: tuple[Prefix, ...] = Field(min_length=1, description="path patterns that lead to it")
    image: Image | None = Field(None, description="the container image")
    port: int | None = Field(None, ge=1, le=65535, description="the port the container listens on")
    protocol: Literal["HTTP", "HTTPS"] | None = Field(None, description="protocol on that port")
    health_path: HealthPath | None = Field(None, description="path that answers 200 while the service is healthy")
    cpu: int | None = Field(None, description="CPU units of a task; 1024 are one vCPU")
    memory: int | None = Field(None, description="MiB of a task")
    architecture: Literal["X86_64", "ARM64"] | None = Field(None, description="what the image is built for")
    environment: Variables = Field(default_factory=dict, description="beside `container.environment`")
    secrets: Secrets = Field(default_factory=dict, description="beside `container.secrets`")
    minimum: int | None = Field(None, ge=0, le=5000, description="least number of tasks, and the number at creation")
    maximum: int | None = Field(None, ge=1, le=5000, description="tasks at most")
    requests: int | None = Field(None, ge=1, le=MAX_EXACT_INTEGER, description="requests per task and minute aimed at")


class Api(Section):
    """The settings of the load balancer's routes."""

    prefixes: tuple[Prefix, ...] = Field(
        ("/api/v1/*", "/api/v2/*"), description="path patterns that lead to the main service"
    )
    services: dict[ServiceName, ApiService] = Field(
        default_factory=dict, description="services with prefixes, image, size and counts of their own"
    )

    @model_validator(mode="after")
    def _check_prefixes_unique(self) -> Api:
        """Raise Incompatible if a prefix is given twice, or if there are none or too many for a balancer."""
        prefixes = list(self._prefixes_with_setting())
        for prefix, count in Counter(prefix for prefix, _ in prefixes).items():
            if count > 1:
                settings = " and ".join(setting for other, setting in prefixes if other == prefix)
                problem = f"the prefix {prefix} is in {settings}; it can lead to one place only"
                raise Incompatible(problem, f"Take {prefix} out of all but one of them.")
        if not prefixes:
            raise Incompatible("there is no prefix", "Name at least one in `api.prefixes`, such as /api/*.")
        if (excess := len(prefixes) - _MAX_PREFIXES) > 0:
            problem = f"there are {len(prefixes)} prefixes; a balancer has rules for {_MAX_PREFIXES}"
            raise Incompatible(problem, f"Take {excess} or more out of `api.prefixes` and `api.services`.")
        return self

    @model_validator(mode="after")
    def _check_prefixes_reachable(self) -> Api:
        """Raise Incompatible if a prefix can never match: if rules before it match all its requests."""
        setting_by_prefix = dict(self._prefixes_with_setting())
        pages = dict.fromkeys(ERROR_PAGES.values(), "an error page")
        for prefix, earlier in unreachable([*pages, *narrowest_first(setting_by_prefix)]):
            others = " and ".join(f"{pattern} ({(setting_by_prefix | pages)[pattern]})" for pattern in earlier)
            raise Incompatible(
                f"the prefix {prefix} in {setting_by_prefix[prefix]} can never be reached: every request that it "
                f"matches goes to {others}",
                f"Take {prefix} out of `{setting_by_prefix[prefix]}`, or make it match more.",
            )
        return self

    def _prefixes_with_setting(self) -> Iterator[tuple[str, str]]:
        """Yield each prefix with the path of the setting that contains it."""
        yield from ((prefix, "api.prefixes") for prefix in self.prefixes)
        for name, service in self.services.items():
            yield from ((prefix, f"api.services.{name}.prefixes") for prefix in service.prefixes)
