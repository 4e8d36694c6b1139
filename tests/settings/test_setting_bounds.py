"""On each side of every bound: what AWS refuses is refused before a call, what it takes is taken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from provisioner.configuration import load_settings
from provisioner.errors import UsageError
from provisioner.settings.container import MAX_TASK_DEFINITION_BYTES
from provisioner.settings.reserved_names import POSTGRES_KEYWORDS
from provisioner.settings.section import served_path
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.support.user import User

IMAGE = "image=public.ecr.aws/acme/model:1"
SIZE = MAX_TASK_DEFINITION_BYTES - len(json.dumps({"name": "A", "value": ""})) - 1


def variable(size: int) -> str:
    return json.dumps({"A": "x" * size})


# setting, what AWS takes, what it refuses
TABLE: list[tuple[str, list[str], list[str]]] = [
    (
        "database.username",
        ["postgres", "a" * 16, "mlapi_admin", "p_g", "pgx", "template0", "rds", "selects"],
        [
            "pg_x",
            "a" * 17,
            "admin",
            "rdsadmin",
            "rds_superuser",
            "select",
            "user",
            "public",
            "none",
            "1a",
            "_a",
            "",
        ],
    ),
    (
        "database.iam_user",
        ["postgres", "a" * 63, "app"],
        ["pg_x", "a" * 64, "rdsadmin", "rds_iam", "select", "public", "none"],
    ),
    (
        "database.name",
        ["mlapi", "A_1", "a" * 63, "pg_x", "selected"],
        [
            "postgres",
            "template0",
            "template1",
            "rdsadmin",
            "admin",
            "select",
            "SELECT",
            "Postgres",
            "a" * 64,
            "1a",
        ],
    ),
    ("database.version", ["15", "15.4"], ["15.", "\u0661\u0665", "15.4.1", "1" * 40]),
    (
        "container.health_path",
        ["/", "/health-check", "/a?b=c&d=%20", "/a%20b", "/@:%_+.~#", "/" + "a" * 1023],
        ["/a b", "/é", "/{", "/a;b", "/a,b", "/a'b", '/a"b', "health", "", "/a\n", "/" + "a" * 1024],
    ),
    (
        "network.cidr",
        ["10.0.0.0/16", "100.64.0.0/16", "192.168.0.0/23", "198.19.0.0/16", "223.255.0.0/16", "128.0.0.0/16"],
        ["127.0.0.0/16", "224.0.0.0/16", "239.255.0.0/16", "0.0.0.0/16", "0.1.0.0/16", "169.254.0.0/16"],
    ),
    (
        "tags",
        ['{"awsome": "1"}', '{"team": "rds"}', '{"a:b": "x"}', f'{{"{"k" * 128}": "{"v" * 256}"}}'],
        [
            '{"aws:x": "1"}',
            '{"rds:x": "1"}',
            '{"RDS:x": "1"}',
            '{"team": "aws:x"}',
            '{"team": "Rds:x"}',
            '{"a\\u0007": "1"}',
        ],
    ),
    (
        "alarms.emails",
        ['["on-call+ml@example.com"]', '["a.b.c@x-1.example.com"]', '["o\'neil@example.co.uk"]'],
        [
            '["a\\u0007@example.com"]',
            '["a@exa\\u009bmple.com"]',
            '["a\\u202e@example.com"]',
            '["é@example.com"]',
            '["a@b"]',
            '["a..b@example.com"]',
            '[".a@example.com"]',
            '["a.@example.com"]',
            '["a@-example.com"]',
            '["a@example-.com"]',
            '["a@example.com\\n"]',
        ],
    ),
    *(
        (name, ["1", str(2**53)], ["0", str(2**53 + 1), "9" * 400])
        for name in ("alarms.errors", "alarms.connections", "alarms.blocked", "service.requests")
    ),
    (
        "container.scratch",
        ['["/tmp", "/var/tmp"]', '["/tmp", "/tmp/a"]', '["/proc-data"]'],
        [
            '["/tmp", "/tmp"]',
            '["/tmp", "/tmp/"]',
            '["/a/../tmp", "/tmp"]',
            '["/."]',
            '["/proc/x"]',
            '["/proc"]',
        ],
    ),
    (
        "container.environment",
        ['{"A": ""}', '{"a.b-c": "\\u0007"}', variable(SIZE)],
        ['{"A": "\\u0000"}', '{"A\\u0007": "x"}', '{"A=B": "x"}', '{"A B": "x"}', variable(SIZE + 1)],
    ),
    ("table.ttl_attribute", ["", "expires at", "é:#", "a" * 255], ["a" * 256, "a\u0007"]),
    (
        "roles.boundary",
        ["own", "arn:aws:iam::111122223333:policy/a/b", "arn:aws:iam::aws:policy/PowerUserAccess"],
        [
            "arn:aws:iam::\u066111122223333:policy/a",
            "arn:aws:iam::1:policy/a",
            "arn:aws:iam::111122223333:role/a",
        ],
    ),
    ("service.grace", ["0", "2147483647"], ["-1", "2147483648"]),
    (
        "account",
        ["111122223333"],
        ["11112222333", "\u0661\u0661\u0661\u0661\u0662\u0662\u0662\u0662\u0663\u0663\u0663\u0663"],
    ),
    ("waf.rate_limit", ["10", "2000000000"], ["9", "2000000001"]),
    ("database.backup_days", ["1", "35"], ["0", "36"]),
    ("database.rotation_days", ["1", "1000"], ["0", "1001"]),
    ("database.pause_after", ["300", "86400"], ["299", "86401"]),
    ("database.max_acu", ["1", "256"], ["0.5", "256.5", "nan", "inf"]),
    ("service.fargate_base", ["0", "100000"], ["-1", "100001"]),
]


@pytest.mark.parametrize(("setting", "value"), [(name, one) for name, taken, _ in TABLE for one in taken], ids=str)
def test_what_aws_takes_is_taken(setting: str, value: str) -> None:
    load_settings(None, ["profile=seed", IMAGE, f"{setting}={value}"], {})


@pytest.mark.parametrize(("setting", "value"), [(name, one) for name, _, refused in TABLE for one in refused], ids=str)
def test_what_aws_refuses_is_refused_by_name(setting: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(None, ["profile=seed", IMAGE, f"{setting}={value}"], {})

    assert setting.split(".", maxsplit=1)[0] in caught.value.message


@pytest.mark.parametrize("word", sorted(POSTGRES_KEYWORDS))
def test_a_reserved_word_names_no_role_and_no_database(word: str) -> None:
    for setting in ("database.name", "database.username"):
        with pytest.raises(UsageError):
            load_settings(None, [f"{setting}={word}"], {})


def test_the_requests_of_a_service_are_bound_alike() -> None:
    for count, is_taken in ((2**53, True), (2**53 + 1, False)):
        told = json.dumps({"a": {"prefixes": ["/a"], "requests": count}})
        with nullcontext() if is_taken else pytest.raises(UsageError):
            load_settings(None, [IMAGE, f"api.services={told}"], {})


def test_a_health_path_of_a_service_is_bound_alike() -> None:
    for path, is_taken in (("/a%20b?x", True), ("/é", False)):
        told = json.dumps({"a": {"prefixes": ["/a"], "health_path": path}})
        if is_taken:
            load_settings(None, [IMAGE, f"api.services={told}"], {})
        else:
            with pytest.raises(UsageError):
                load_settings(None, [IMAGE, f"api.services={told}"], {})


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/health", b"/health"),
        ("/health?full=1#x", b"/health"),
        ("/a%20b", b"/a b"),
        ("/a//b/./c/../d/", b"/a/b/d/"),
        ("/%C3%A9%ff", b"/\xc3\xa9\xff"),
        ("/", b"/"),
        ("/?x", b"/"),
    ],
)
def test_a_health_path_is_what_a_server_compares(path: str, served: bytes) -> None:
    assert served_path(path) == served


@pytest.mark.parametrize("path", ["/a%2", "/%zz", "/a%00", "/../a"])
def test_a_path_to_which_every_server_answers_400_is_not_the_placeholders(path: str) -> None:
    with pytest.raises(UsageError, match="placeholder cannot answer"):
        load_settings(None, [f"container.health_path={path}"], {})
    load_settings(None, [IMAGE, f"container.health_path={path}"], {})


def configuration(path: str) -> str:
    """What the placeholder writes for nginx."""
    settings = load_settings(None, ["profile=seed", f"container.health_path={path}"], {})
    stack = build(settings, "a", "us-east-1", offline_lookups(3, "15"))
    (container,) = stack.resources["task"].props["containerDefinitions"]
    found = re.search(r"<<'EOF'\n(.*?)EOF\n", container["command"][2], re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/health?full=1", "location = /health {"),
        ("/a%20b", 'location ~ "^/a\\x20b$" {'),
        ("/a%7B%22%3b", 'location ~ "^/a\\x7b\\x22\\x3b$" {'),
        ("/a%0AEOF", 'location ~ "^/a\\x0aEOF$" {'),
    ],
)
def test_the_placeholder_has_a_place_for_it(path: str, location: str) -> None:
    assert location in configuration(path)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx, of Debian's package of that name")
def test_nginx_reads_what_the_placeholder_writes(tmp_path: Path) -> None:
    for path in ("/health?full=1", "/a%20b", "/%C3%A9%ff", "/a%7B%22%3b", "/a%0AEOF"):
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(path))
        subprocess.run(["nginx", "-t", "-c", str(file)], check=True, capture_output=True)


def test_a_task_definition_that_is_too_large_is_found_before_the_first_call(user: User) -> None:
    ran = user.run("apply", "--yes", "--suffix", "prod", "--set", f"container.environment={variable(SIZE - 500)}")

    assert ran.code != 0
    assert f"ECS takes a task definition of {MAX_TASK_DEFINITION_BYTES}" in ran.err + ran.out
    assert "xxxx" not in ran.err + ran.out
    assert user.acts() == []
