"""What a container without a container answers to a health check."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.emulator.ecs.model import Task
from provisioner.emulator.ecs.tasks import status_at
from provisioner.emulator.wire import AccountRegion

CONF = """
    location = /health { return 200 'ok'; }
    location /api/v1/ { return 200 '1'; }
    location /api/ { return 403 'no'; }
    location ~ ^/x/.*/y$ { return 201 'x'; }
    location / { return 404 'none'; }
"""


def task(**container: Any) -> Task:
    definition = {"containerDefinitions": [container]}
    return Task(AccountRegion("123456789012", "us-east-1"), "cluster", definition, {}, "service:a", "d")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 200), ("/healthy", 404), ("/api/v1/a", 200), ("/api/v2", 403), ("/x/1/y", 201), ("/", 404)],
)
def test_nginx_answers_as_its_configuration_says(path: str, status: int) -> None:
    assert status_at(task(command=["sh", "-c", CONF]), path) == status


def test_an_image_says_by_a_variable_what_it_answers_and_any_other_answers_everything() -> None:
    signed = task(environment=[{"name": "ANSWERS", "value": "/well"}])

    assert (status_at(signed, "/well"), status_at(signed, "/health")) == (200, 404)
    assert status_at(task(), "/anything") == 200
