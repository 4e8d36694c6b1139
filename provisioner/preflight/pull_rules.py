"""Pull-through-cache rules: which repositories of an ECR registry the first pull fills from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.engine.clients import Clients
from provisioner.engine.explain import excused
from provisioner.engine.graph import Stack
from provisioner.settings.images import EcrImage

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {"ecr": ("DescribePullThroughCacheRules",)}
# ECR user guide, "Customizing repository prefixes for ECR to ECR pull through cache": the rule of all
# repositories that no other rule is for, and a prefix upstream that stands for none.
_ROOT = "ROOT"


@dataclass(frozen=True)
class Rule:
    """A rule: the prefix of the repositories that it fills, and the registry that it fills them from."""

    prefix: str
    upstream: str
    upstream_prefix: str

    @classmethod
    def of(cls, doc: dict[str, Any]) -> Rule:
        """Return the rule that an answer of ECR tells of; a prefix may be given with its `/`."""
        upstream = str(doc.get("upstreamRegistryUrl", "")).removeprefix("https://").rstrip("/")
        beyond = str(doc.get("upstreamRepositoryPrefix") or _ROOT).rstrip("/")
        return cls(str(doc["ecrRepositoryPrefix"]).rstrip("/"), upstream, beyond)

    def fills(self, repository: str) -> bool:
        """Return whether a repository is one of this rule's."""
        return self.prefix == _ROOT or repository.startswith(f"{self.prefix}/")

    def source(self, repository: str) -> str:
        """Return where a repository is filled from: registry and name."""
        rest = repository if self.prefix == _ROOT else repository.removeprefix(f"{self.prefix}/")
        parts = (self.upstream, "" if self.upstream_prefix == _ROOT else self.upstream_prefix, rest)
        return "/".join(filter(None, parts))


def rules(clients: Clients, place: EcrImage) -> list[Rule]:
    """Return the rules of a registry by DescribePullThroughCacheRules."""
    ecr = clients.client("ecr", place.region)
    told = ecr.describe_pull_through_cache_rules(registryId=place.account)
    return [Rule.of(doc) for doc in told["pullThroughCacheRules"]]


def rule_of(known: Iterable[Rule], repository: str) -> Rule | None:
    """Return the rule that fills a repository: the longest prefix before ROOT; None where none does."""
    fitting = [one for one in known if one.fills(repository)]
    return max(fitting, key=lambda one: (one.prefix != _ROOT, len(one.prefix)), default=None)


def filled(clients: Clients, images: Iterable[str], account: str, known: Iterable[str] = ()) -> list[str]:
    """Return the repositories of an account that a rule fills, of those that these images lie in.

    Makes one call for each registry, none where no image lies in one. Where ECR does not tell its rules, what
    was `known` stands.
    """
    former, sharing = set(known), clients.sharing()
    mine = {one for image in images if (one := EcrImage.of(image)) and one.account == account}
    return sorted({one.qualified for one in mine if _is_filled(sharing, one, former)})


def _is_filled(clients: Clients, place: EcrImage, former: set[str]) -> bool:
    try:
        return rule_of(rules(clients, place), place.repository) is not None
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        excused(error, "looking at the pull-through-cache rules")
        return place.qualified in former


def concerns(stack: Stack) -> bool:
    """Return whether a stack has an image in a private ECR."""
    tasks = (node.props["containerDefinitions"] for node in stack if str(node.kind) == "TaskDefinition")
    return any(EcrImage.of(str(one["image"])) for containers in tasks for one in containers)
