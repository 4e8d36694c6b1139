"""Pull-through-cache rules: which ECR repositories are filled from another registry at the first pull."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.service_clients import ECR
from provisioner.settings.images import EcrImage

# The calls of this module by service; `policy` grants them. tests/resources/test_declared_calls.py compares
# it with the source.
CALLS = {"ecr": ("DescribePullThroughCacheRules",)}
# ECR user guide, "Customizing repository prefixes for ECR to ECR pull through cache": as a repository prefix,
# the rule for all repositories without a rule of their own; as an upstream prefix, no prefix.
_ROOT = "ROOT"


@dataclass(frozen=True)
class PullThroughRule:
    """A pull-through-cache rule: the prefix of its repositories, and the registry and prefix upstream."""

    prefix: str
    upstream: str
    upstream_prefix: str

    @classmethod
    def of(cls, doc: JsonObject) -> PullThroughRule:
        """Return the rule that an item of ECR's answer describes; its prefixes may end in `/`."""
        upstream = str(doc.get("upstreamRegistryUrl", "")).removeprefix("https://").rstrip("/")
        upstream_prefix = str(doc.get("upstreamRepositoryPrefix") or _ROOT).rstrip("/")
        return cls(str(doc["ecrRepositoryPrefix"]).rstrip("/"), upstream, upstream_prefix)

    def covers(self, repository: str) -> bool:
        """Return whether this rule covers a repository."""
        return self.prefix == _ROOT or repository.startswith(f"{self.prefix}/")

    def upstream_of(self, repository: str) -> str:
        """Return where a repository is filled from: the upstream registry and the name there."""
        rest = repository if self.prefix == _ROOT else repository.removeprefix(f"{self.prefix}/")
        parts = (self.upstream, "" if self.upstream_prefix == _ROOT else self.upstream_prefix, rest)
        return "/".join(filter(None, parts))


def read_rules(clients: Clients, location: EcrImage) -> list[PullThroughRule]:
    """Return the rules of a registry with DescribePullThroughCacheRules."""
    ecr = clients.client(ECR, location.region)
    response = ecr.describe_pull_through_cache_rules(registryId=location.account)
    return [PullThroughRule.of(doc) for doc in response["pullThroughCacheRules"]]


def rule_for(rules: Iterable[PullThroughRule], repository: str) -> PullThroughRule | None:
    """Return the rule that fills a repository: of the longest prefix, and ROOT last; None if no rule does."""
    covering = [rule for rule in rules if rule.covers(repository)]
    return max(covering, key=lambda rule: (rule.prefix != _ROOT, len(rule.prefix)), default=None)


def filled_repositories(
    clients: Clients, images: Iterable[str], account: str, previous: Iterable[str] = ()
) -> list[str]:
    """Return the account's repositories that a rule fills, among the repositories of these images.

    It makes one call for each registry, and none if no image is in a registry of the account. If ECR does not
    tell its rules, a repository counts as filled if it is in `previous`.

    Args:
        clients: The clients to ask ECR with.
        images: The images, as task definitions name them.
        account: The account whose registries count.
        previous: The result of the last time, as registry and repository.

    """
    filled_before, shared_reads = set(previous), clients.with_shared_reads()
    private_images = {image for name in images if (image := EcrImage.of(name)) and image.account == account}
    return sorted({image.qualified for image in private_images if _is_filled(shared_reads, image, filled_before)})


def _is_filled(clients: Clients, location: EcrImage, filled_before: set[str]) -> bool:
    """Return whether a rule fills a repository; if ECR does not tell, whether one did the last time."""
    try:
        return rule_for(read_rules(clients, location), location.repository) is not None
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        describe_refusal(error, "looking at the pull-through-cache rules")
        return location.qualified in filled_before


def has_private_image(stack: Stack) -> bool:
    """Return whether a stack has an image in a private ECR registry."""
    tasks = (resource.props["containerDefinitions"] for resource in stack if str(resource.type) == "TaskDefinition")
    return any(EcrImage.of(str(container["image"])) for containers in tasks for container in containers)
