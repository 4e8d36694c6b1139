"""Images in a private ECR: those that no task can pull, and those that a rule brings at the first pull."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.emulator.clock import clock
from provisioner.emulator.hooks import always
from provisioner.preflight.pull_rules import PullThroughRule, rule_for
from provisioner.settings.images import EcrImage, ecr_region
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
KIND = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Repository:
    """A repository of the account's own, and what a pipeline and its lifecycle rules do to it."""

    stack: LiveStack
    name: str

    def image(self, tag: str) -> str:
        """An image in it by its tag."""
        return f"{ECR}/{self.name}:{tag}"

    def push(self, tag: str) -> None:
        """Push an image that no other tag stands for."""
        layers = [{"digest": f"sha256:{tag}"}]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": {}, "layers": layers})
        self.stack.aws("ecr").put_image(repositoryName=self.name, imageManifest=manifest, imageTag=tag)

    def store(self, tag: str, storage: str) -> None:
        """Archive an image, or ask for its restoring, which takes its time."""
        user = self.stack.desk
        user.slow(1.0)
        self.stack.aws("ecr").update_image_storage_class(
            repositoryName=self.name, imageId={"imageTag": tag}, targetStorageClass=storage
        )
        user.slow(0.0)

    def delete(self, tag: str) -> None:
        """Take an image away."""
        self.stack.aws("ecr").batch_delete_image(repositoryName=self.name, imageIds=[{"imageTag": tag}])

    def pinned(self, tag: str) -> str:
        """The same image by its digest."""
        asked: dict[str, Any] = {"imageIds": [{"imageTag": tag}], "filter": {"imageStatus": "ANY"}}
        (one,) = self.stack.aws("ecr").describe_images(repositoryName=self.name, **asked)["imageDetails"]
        return f"{ECR}/{self.name}@{one['imageDigest']}"

    def restoring(self, tag: str) -> str:
        """What restores it."""
        return (
            f"aws ecr update-image-storage-class --repository-name {self.name} --region us-east-1 "
            f"--image-id imageTag={tag} --target-storage-class STANDARD"
        )


@pytest.fixture
def repository(live_stack: LiveStack, request: pytest.FixtureRequest) -> Iterator[Repository]:
    """One of this test's own; at the end the stack runs its placeholder again."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name)[:60].strip("-")
    live_stack.aws("ecr").create_repository(repositoryName=name)
    yield Repository(live_stack, name)
    live_stack.desk.well("apply", "--yes", "--suffix", SUFFIX, "--take", "image")


@contextmanager
def rule(live_stack: LiveStack, prefix: str, **more: str) -> Iterator[None]:
    """Inside, ECR fetches what is asked for under a prefix from the Docker Hub."""
    ecr = live_stack.aws("ecr")
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl="registry-1.docker.io", **more)
    try:
        yield
    finally:
        ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)


def do(live_stack: LiveStack, verb: str, *more: str) -> CommandResult:
    """One command that changes a service."""
    return live_stack.desk.run(verb, "--yes", "--suffix", SUFFIX, *more)


def runs(live_stack: LiveStack) -> str:
    """The image that the service runs."""
    return str(live_stack.task["containerDefinitions"][0]["image"])


def test_an_archived_image_is_not_deployed_and_its_way_back_is_told(
    live_stack: LiveStack, repository: Repository
) -> None:
    repository.push("v1")
    repository.store("v1", "ARCHIVE")
    before, mark = runs(live_stack), live_stack.desk.mark()

    by_digest = live_stack.desk.process(
        "deploy", "--yes", "--suffix", SUFFIX, "--image", repository.pinned("v1"), "--local"
    )
    by_tag = do(live_stack, "deploy", "--image", repository.image("v1"))

    for ran in (by_digest, by_tag):
        assert ran.code == 5, ran.err
        assert "is archived in ECR: no task can pull it. Nothing was changed." in ran.err
        assert "up to 20 minutes" in ran.err
    assert repository.restoring("v1") in by_tag.err
    assert "--image-id imageDigest=sha256:" in by_digest.err
    assert (runs(live_stack), live_stack.desk.acts(mark)) == (before, [])


def test_one_that_is_being_restored_is_waited_for_and_deployed_then(
    live_stack: LiveStack, repository: Repository
) -> None:
    image = repository.image("v1")
    repository.push("v1")
    repository.store("v1", "ARCHIVE")
    repository.store("v1", "STANDARD")

    ran = do(live_stack, "deploy", "--image", image)

    assert ran.code == 5, ran.err
    assert f"The image {image} is being restored in ECR" in ran.err
    assert "Wait: it takes up to 20 minutes." in ran.err
    assert "--filter imageStatus=ANY` says ACTIVE then" in ran.err

    clock.advance(1200)
    assert do(live_stack, "deploy", "--image", image).code == 0
    assert runs(live_stack) == repository.pinned("v1")


def test_no_details_are_those_of_an_archived_image(
    live_stack: LiveStack, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ECR that does not tell the status, whatever filter it is given."""
    repository.push("v1")
    told = [(lambda _, reply: reply["imageDetails"].clear(), lambda _: True)]
    monkeypatch.setitem(always.afters, ("ecr", "DescribeImages"), told)

    ran = do(live_stack, "deploy", "--image", repository.image("v1"))

    assert (ran.code, "is archived in ECR" in ran.err) == (5, True)
    assert repository.restoring("v1") in ran.err


def test_nobody_goes_back_to_what_cannot_be_pulled(live_stack: LiveStack, repository: Repository) -> None:
    for tag in ("v1", "v2"):
        repository.push(tag)
        assert do(live_stack, "deploy", "--image", repository.image(tag)).code == 0
    first = repository.pinned("v1")
    repository.store("v1", "ARCHIVE")
    before, mark = runs(live_stack), live_stack.desk.mark()

    ran = do(live_stack, "rollback")
    assert ran.code == 5, ran.err
    assert f"The image {first} is archived in ECR" in ran.err
    assert "Nothing was changed" in ran.err
    assert "--target-storage-class STANDARD" in ran.err

    repository.delete("v1")
    ran = do(live_stack, "rollback", "--to", str(live_stack.task["revision"] - 1))
    assert ran.code == 5, ran.err
    assert f"There is no image {first} in ECR" in ran.err
    assert (runs(live_stack), live_stack.desk.acts(mark)) == (before, ["ecr:BatchDeleteImage"])


@pytest.mark.parametrize("verb", ["restart", "run"])
def test_no_task_is_started_of_what_was_archived_meanwhile(
    live_stack: LiveStack, repository: Repository, verb: str
) -> None:
    repository.push("v1")
    assert do(live_stack, "deploy", "--image", repository.image("v1")).code == 0
    repository.store("v1", "ARCHIVE")
    mark = live_stack.desk.mark()

    words = ("--local", "--", "true") if verb == "run" else ("--local",)
    ran = live_stack.desk.run(verb, "--yes", "--suffix", SUFFIX, *words, local=False)

    assert ran.code == 5, ran.err
    assert "is archived in ECR" in ran.err
    assert live_stack.desk.acts(mark) == []


def test_an_apply_is_refused_and_a_plan_tells_why(live_stack: LiveStack, repository: Repository) -> None:
    given = ("--suffix", SUFFIX, "--set", f"image={repository.image('v1')}")
    mark = live_stack.desk.mark()
    assert "there is no image" in live_stack.desk.run("apply", "--yes", *given).err
    repository.push("v1")
    repository.store("v1", "ARCHIVE")

    told = live_stack.desk.well("plan", *given).out
    ran = live_stack.desk.run("apply", "--yes", *given)

    assert f"! ecs/task: the image {repository.image('v1')} is archived in ECR" in told
    assert repository.restoring("v1") in told
    assert ran.code == 5, ran.err
    assert repository.restoring("v1") in ran.err
    assert [one for one in live_stack.desk.acts(mark) if not one.startswith("ecr:")] == []

    repository.push("v1")
    live_stack.desk.apply(SUFFIX, "--set", f"image={repository.image('v1')}")
    repository.store("v1", "ARCHIVE")
    quiet = live_stack.desk.well("plan", *given).out
    assert quiet.startswith("No changes.\n  ! warning: ecs/task: the image")
    live_stack.desk.apply(SUFFIX)


def test_doctor_tells_of_an_archived_image_and_of_one_that_is_restored(
    live_stack: LiveStack, repository: Repository
) -> None:
    repository.push("v1")
    assert do(live_stack, "deploy", "--image", repository.image("v1")).code == 0
    repository.store("v1", "ARCHIVE")

    told = _image(live_stack)
    assert (told["state"], told["finding"]) == ("wrong", "image-archived")
    assert "is archived in ECR" in told["what"]
    assert "--target-storage-class STANDARD" in told["type"]

    repository.store("v1", "STANDARD")
    told = _image(live_stack)
    assert (told["state"], told["finding"]) == ("wrong", "image-activating")

    clock.advance(1200)
    assert _image(live_stack)["state"] == "ok"


def _image(live_stack: LiveStack) -> dict[str, Any]:
    (told,) = live_stack.desk.run("doctor", "--suffix", SUFFIX, "--json").lines
    return next(dict(one) for one in told["checks"] if one["check"] == "image")


@pytest.mark.parametrize(
    ("prefix", "image", "source"), [("hub", "hub/acme/one:1", "acme/one"), ("ROOT", "two:1", "two")]
)
def test_what_a_rule_fetches_is_deployed_before_its_first_pull(
    live_stack: LiveStack, prefix: str, image: str, source: str
) -> None:
    with rule(live_stack, prefix):
        ran = do(live_stack, "deploy", "--image", f"{ECR}/{image}")

        assert ran.code == 0, ran.err
        assert f"the first pull brings it from registry-1.docker.io/{source}." in ran.err
        assert runs(live_stack) == f"{ECR}/{image}"
        repository = image.partition(":")[0]
        assert live_stack.aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
        assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


RULES = [
    {"ecrRepositoryPrefix": "ROOT", "upstreamRegistryUrl": "https://public.ecr.aws"},
    {"ecrRepositoryPrefix": "hub/", "upstreamRegistryUrl": "registry-1.docker.io"},
    {
        "ecrRepositoryPrefix": "hub/team",
        "upstreamRegistryUrl": "111122223333.dkr.ecr.us-east-1.amazonaws.com",
        "upstreamRepositoryPrefix": "up",
    },
    {"ecrRepositoryPrefix": "q", "upstreamRegistryUrl": "quay.io", "upstreamRepositoryPrefix": "ROOT"},
]


@pytest.mark.parametrize(
    ("repository", "source"),
    [
        ("hub/nginx", "registry-1.docker.io/nginx"),
        ("hub/team/model", "111122223333.dkr.ecr.us-east-1.amazonaws.com/up/model"),
        ("hub/teams/model", "registry-1.docker.io/teams/model"),
        ("q/a/b", "quay.io/a/b"),
        ("quay/a", "public.ecr.aws/quay/a"),
        ("hub", "public.ecr.aws/hub"),
    ],
)
def test_the_longest_prefix_is_the_rules_and_root_is_for_all_others(repository: str, source: str) -> None:
    found = rule_for([PullThroughRule.of(one) for one in RULES], repository)

    assert found
    assert found.upstream_of(repository) == source
    assert rule_for([PullThroughRule.of(one) for one in RULES[1:]], "hubbub/a") is None


def test_what_a_rule_fetches_is_applied_with_the_right_to_fetch_it(live_stack: LiveStack) -> None:
    image = f"{ECR}/hub/acme/five:1"
    live_stack.desk.apply(SUFFIX, "--take", "image")
    with rule(live_stack, "hub"):
        told = live_stack.desk.plan(SUFFIX, "--set", f"image={image}")
        assert f"warning: ecs/task: there is no image {image} in ECR yet: the first pull brings it" in told
        live_stack.desk.apply(SUFFIX, "--set", f"image={image}")

        asked = [one for _, one in live_stack.statements() if "ecr:BatchImportUpstreamImage" in one["Action"]]
        assert [(one["Action"], one["Resource"]) for one in asked] == [
            (
                ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
                ["arn:aws:ecr:us-east-1:123456789012:repository/hub/acme/five"],
            )
        ]
        live_stack.desk.apply(SUFFIX)
    assert not any("ecr:CreateRepository" in one["Action"] for _, one in live_stack.statements())


def test_without_nat_nothing_is_fetched_at_a_first_pull(live_stack: LiveStack) -> None:
    image = f"{ECR}/hub/acme/six:1"
    with rule(live_stack, "hub"):
        told = live_stack.desk.plan("shut", "--set", "network.nat=none", "--set", f"image={image}")

    assert f"! ecs/task: there is no image {image} in ECR yet, and without NAT its first pull fails" in told
    assert f"`docker pull {image}`" in told


@pytest.mark.parametrize(
    ("host", "is_plain"),
    [
        ("dkr.ecr.us-east-1.amazonaws.com", True),
        ("dkr-ecr.us-east-1.on.aws", False),
        ("dkr.ecr-fips.us-east-1.amazonaws.com", False),
        ("dkr-ecr-fips.us-east-1.on.aws", False),
    ],
)
def test_every_name_of_a_registry_is_read_and_tag_and_digest_told_apart(host: str, is_plain: bool) -> None:
    digest = f"sha256:{'a' * 64}"
    place = EcrImage.of(f"123456789012.{host}/a/b:1@{digest}")

    assert place == EcrImage("123456789012", "us-east-1", "a/b", "1", digest)
    assert place.id == {"imageDigest": digest}
    assert bool(ecr_region(f"123456789012.{host}/a/b:1")) is is_plain


def test_a_rule_for_another_prefix_fetches_nothing(live_stack: LiveStack) -> None:
    with rule(live_stack, "hub"):
        ran = do(live_stack, "deploy", "--image", f"{ECR}/hubbub/model:1")

    assert (ran.code, "There is no image" in ran.err) == (64, True)


def test_another_accounts_registry_that_does_not_tell_is_not_asked(live_stack: LiveStack) -> None:
    image = "999988887777.dkr.ecr.us-east-1.amazonaws.com/theirs:1"

    ran = do(live_stack, "deploy", "--image", image)

    assert ran.code == 0, ran.err
    assert f"Whether {image} can be pulled was not asked" in ran.err
    assert "not authorized to perform: ecr:DescribeImages" in ran.err
    assert runs(live_stack) == image
    assert _image(live_stack)["state"] == "not checked"
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
