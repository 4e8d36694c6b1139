from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.embedded.server import EmbeddedAws
from tests.harness import Desk

OF_THE_USER = ("AWS_", "MLAPI_", "MOTO_")
ALSO = (
    "ENVIRONMENT_SUFFIX",
    "DB_PASSWORD",
    "NO_COLOR",
    "FORCE_COLOR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
)


@pytest.fixture(autouse=True)
def _nobodys_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no settings, no stack of whoever runs the tests; an empty working directory."""
    for name in list(os.environ):
        if name.startswith(OF_THE_USER) or name.upper() in ALSO:
            monkeypatch.delenv(name)
    empty = tmp_path_factory.mktemp("nowhere")
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(empty)


@pytest.fixture(scope="session")
def served() -> Iterator[EmbeddedAws]:
    """One embedded AWS a worker; who uses it empties it first."""
    with EmbeddedAws() as box:
        yield box


@pytest.fixture
def desk(served: EmbeddedAws, tmp_path: Path) -> Desk:
    """A user's place before an empty embedded AWS, with its manners and instant."""
    return Desk.before(served, tmp_path / "home")
