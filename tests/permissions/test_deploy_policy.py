"""With exactly what `policy --for deploy` prints, everything that ships goes well, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.test_logs_previous import forget
from tests.permissions.test_policies import policies
from tests.support.live_stack import SUFFIX
from tests.support.user import User

pytestmark = pytest.mark.slow
STACK = ("--suffix", SUFFIX)


@pytest.fixture(scope="module")
def shipper(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user who may ship to a stack that stands."""
    user = User.before(served, tmp_path_factory.mktemp("shipper") / "home")
    user.apply(SUFFIX)
    served.authorise(*policies(user, "deploy", "--set", "service.minimum=2"))
    yield user
    served.authorise()


def test_what_ships_may_be_done(shipper: User) -> None:
    shipper.well("deploy", "--yes", *STACK, "--image", "good:1", "--env", "A=b")
    shipper.well("deploy", "--yes", *STACK, "--image", "good:2")
    assert shipper.run("deploy", "--yes", *STACK, "--image", "web:does-not-exist").code == 10
    shipper.well("rollback", "--yes", *STACK)
    shipper.well("releases", *STACK)
    shipper.well("restart", "--yes", *STACK)
    shipper.well("scale", "--yes", *STACK, "--max", "5")
    for flags in ((), ("--image", "public.ecr.aws/acme/other:7", "--cpu", "512", "--memory", "1024", "--env", "A=b")):
        ran = shipper.run("run", "--local", "--yes", *STACK, *flags, "--", "true", local=False)
        assert (ran.code, "is left:" in ran.err) == (0, False), ran.err


def test_more_than_that_may_not(shipper: User) -> None:
    ran = shipper.run("apply", "--yes", *STACK, "--set", "service.maximum=20")

    assert ran.code != 0
    assert "AccessDenied" in ran.err or "not authorized" in ran.err


def test_the_logs_of_a_task_that_ended_may_be_read_with_the_policy_for_logs(shipper: User) -> None:
    shipper.box.authorise()
    shipper.run("deploy", "--yes", *STACK, "--image", "bad:1", "--env", "HOW=EXIT=3")
    shipper.box.authorise(*policies(shipper, "logs"))

    assert "exit code 3" in shipper.well("logs", *STACK, "--previous").out
    forget()
    assert "exit code 3" in shipper.well("logs", *STACK, "--previous").out
