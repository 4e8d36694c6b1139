from __future__ import annotations

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import hypothesis
import pytest

from provisioner.aws import credentials
from provisioner.emulator.server import LocalAws

pytest.register_assert_rewrite("tests.support.user")

from tests.faults.seeds import SEED  # noqa: E402
from tests.support.day_share import DayShare  # noqa: E402
from tests.support.live_stack import LiveStack  # noqa: E402
from tests.support.loaded_services import load_services  # noqa: E402
from tests.support.user import User  # noqa: E402 - only what is imported after it is rewritten

# What a test promises does not depend on how busy the machine is.
hypothesis.settings.register_profile("steady", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("steady")

OF_THE_USER = ("AWS_", "MLAPI_", "MOTO_", "GITHUB_")
ALSO = {
    "ENVIRONMENT_SUFFIX",
    "DB_PASSWORD",
    "NO_COLOR",
    "FORCE_COLOR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """With `-m ""`, `--slow-share 3/7` runs the third seventh of the slow tests beside all others."""
    parser.addoption("--slow-share", metavar="NUMBER/COUNT", help="of the slow tests, run only this share")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests that are not in the share."""
    if text := config.getoption("--slow-share"):
        share = DayShare.parse(str(text))
        left_out = [item for item in items if item.get_closest_marker("slow") and not share.includes(item.nodeid)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_report_header(config: pytest.Config) -> str:
    """By which seed today's share of the faults is chosen, and which slow tests run; both can be chosen again."""
    return f"FAULT_SEED={SEED}, slow tests: {config.getoption('--slow-share') or config.getoption('-m') or 'all'}"


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No credentials, no settings and no home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OF_THE_USER) or name.upper() in ALSO:
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("nobody")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # Most of what holds, holds for the plain stack; what production adds asks for it.
        patch.setenv("MLAPI_PROFILE", "seed")
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """botocore reads its models of AWS again for each session; for all commands of a worker once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _no_credentials_of_another_test() -> Iterator[None]:
    """A process has its credentials once; here every test is a process of its own."""
    yield
    credentials.forget_all()


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without settings or ledgers."""
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="session")
def served() -> Iterator[LocalAws]:
    """One local AWS a worker; who uses it empties it first."""
    with LocalAws() as box:
        load_services(box.emulator)
        gc.collect()
        gc.freeze()  # it stays: looking through it after each command would take a quarter of a second
        yield box


@pytest.fixture
def user(served: LocalAws, tmp_path: Path) -> User:
    """A user's place before an empty local AWS, with its manners and instant."""
    return User.before(served, tmp_path / "home")


@pytest.fixture(scope="module")
def live_stack(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> LiveStack:
    """The seed's stack, brought up once for a file of tests that only look; none of them takes a desk."""
    return LiveStack.of(User.before(served, tmp_path_factory.mktemp("standing") / "home"))
