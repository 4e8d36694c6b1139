"""Settings that do not go together are refused with which of them to change, and the change is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner.commands.main import cli
from provisioner.configuration import load_settings
from provisioner.errors import UsageError, quoted
from provisioner.names import check_suffix
from provisioner.settings.api import ERROR_PAGES
from provisioner.settings.container import MAX_TASK_DEFINITION_BYTES

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf"
LONG = f"{'a' * 60}.example.com"
PAGE = ERROR_PAGES[403]


def search(**more: object) -> str:
    return "api.services=" + json.dumps({"search": {"prefixes": ["/x/*"], **more}})


# What is set; what the hint says; what of it is then set instead or besides.
CROSSED: list[tuple[tuple[str, ...], str, tuple[str, ...]]] = [
    (
        ("service.minimum=20", "service.maximum=5"),
        "Raise `service.maximum` to 20 or more, or lower `service.minimum` to 5 or less.",
        ("service.maximum=20",),
    ),
    (
        ("service.minimum=20", "service.maximum=5"),
        "Raise `service.maximum` to 20 or more, or lower `service.minimum` to 5 or less.",
        ("service.minimum=5",),
    ),
    (
        ("service.spot_weight=0", "service.fargate_weight=0"),
        "Set `service.fargate_weight` or `service.spot_weight` to 1 or more.",
        ("service.fargate_weight=1",),
    ),
    (
        ("database.min_acu=3", "database.max_acu=2"),
        "Raise `database.max_acu` to 3.0 or more, or lower `database.min_acu` to 2.0 or less.",
        ("database.max_acu=3.0",),
    ),
    (
        ("database.iam_login=true", "database.iam_user=mlapi_admin"),
        "Name another user in `database.iam_user`, or set `database.iam_login` to false.",
        ("database.iam_login=false",),
    ),
    (
        ("container.cpu=256", "container.memory=8192"),
        "Set `container.memory` to 2048, or `container.cpu` to 1024 or 2048 or 4096.",
        ("container.cpu=1024",),
    ),
    (
        ("container.cpu=16384", "container.memory=33000"),
        "Set `container.memory` to 32768.",
        ("container.memory=32768",),
    ),
    (
        ('container.environment={"A":"1"}', f'container.secrets={{"A":"{SECRET}"}}'),
        "Take A out of `container.environment` or out of `container.secrets`.",
        ("container.environment={}",),
    ),
    (
        ('container.scratch=["/tmp","/tmp/"]',),
        "Name it once in `container.scratch`.",
        ('container.scratch=["/tmp"]',),
    ),
    (
        ('container.scratch=["/proc/x"]',),
        "Name another folder in `container.scratch`, such as /tmp.",
        ('container.scratch=["/tmp"]',),
    ),
    (
        ("container.environment=" + json.dumps({"A": "x" * MAX_TASK_DEFINITION_BYTES}),),
        " bytes or more out of `container.environment` or `container.secrets`.",
        ("container.environment={}",),
    ),
    (
        ("container.protocol=HTTPS",),
        "Set `container.protocol` to HTTP, or name an image of your own in `image`.",
        ("image=acme/model:1",),
    ),
    (
        ("container.health_path=/../x",),
        "Set `container.health_path` to another path, or name an image of your own in `image`.",
        ("container.health_path=/x",),
    ),
    (
        ("service.exec=true", "container.readonly_root=true"),
        "Set `container.readonly_root=false` for as long as you need the shell, or `service.exec=false`.",
        ("container.readonly_root=false",),
    ),
    (
        ('domain.names=["a.example.com","a.example.com"]',),
        "Name it once in `domain.names`.",
        ('domain.names=["a.example.com"]',),
    ),
    (
        ('domain.names=["a.example.com"]', "domain.origin_name=a.example.com"),
        "Set `domain.origin_name` to another name, or take a.example.com out of `domain.names`.",
        ("domain.origin_name=b.example.com",),
    ),
    (
        (f'domain.names=["{LONG}","a.example.com"]',),
        "Put a shorter name first in `domain.names`, or set both `domain.certificate_arn` and "
        "`domain.balancer_certificate_arn`.",
        (f'domain.names=["a.example.com","{LONG}"]',),
    ),
    (
        ('network.public_cidrs=["10.0.0.0/24","10.0.1.0/24"]',),
        "Name 3 blocks in `network.public_cidrs`, or none, or set `network.zones` to 2.",
        ("network.zones=2",),
    ),
    (
        ('network.private_cidrs=["10.0.0.0/24"]',),
        "Name 3 blocks in `network.private_cidrs`, or none.",
        ("network.private_cidrs=[]",),
    ),
    (
        ('network.public_cidrs=["10.9.0.0/24","10.9.1.0/24","10.9.2.0/24"]', "network.cidr=10.8.0.0/16"),
        "Name blocks inside `network.cidr` in `network.public_cidrs` and `network.private_cidrs`, or a "
        "`network.cidr` that holds them.",
        ("network.cidr=10.9.0.0/16",),
    ),
    (
        ('network.public_cidrs=["10.0.10.0/24","10.0.1.0/24","10.0.2.0/24"]',),
        "where only one of the two is set, the other's are cut from `network.cidr`: set both.",
        ('network.private_cidrs=["10.0.20.0/24","10.0.21.0/24","10.0.22.0/24"]',),
    ),
    (
        ('api.prefixes=["/x/*"]', search()),
        "Take /x/* out of all but one of them.",
        ('api.prefixes=["/y/*"]',),
    ),
    (
        ("api.prefixes=[]",),
        "Name at least one in `api.prefixes`, such as /api/*.",
        ('api.prefixes=["/api/*"]',),
    ),
    (
        ("api.prefixes=" + json.dumps([f"/{n}/*" for n in range(99)]),),
        "Take 2 or more out of `api.prefixes` and `api.services`.",
        ("api.prefixes=" + json.dumps([f"/{n}/*" for n in range(97)]),),
    ),
    (
        (f'api.prefixes=["{PAGE}","/a"]',),
        f"Take {PAGE} out of `api.prefixes`, or make it match more.",
        ('api.prefixes=["/a"]',),
    ),
    # Of a service of its own, all is a setting at one place.
    (
        (search(minimum=11),),
        "Raise `api.services.search.maximum` to 11 or more, or lower `api.services.search.minimum` to 10 or less.",
        (search(minimum=11, maximum=11),),
    ),
    (
        (search(cpu=256, memory=8192),),
        "Set `api.services.search.memory` to 2048, or `api.services.search.cpu` to 1024 or 2048 or 4096.",
        (search(cpu=256, memory=2048),),
    ),
    (
        (search(protocol="HTTPS"),),
        "Set `api.services.search.protocol` to HTTP, or name an image of your own in `api.services.search.image`.",
        (search(protocol="HTTPS", image="acme/model:1"),),
    ),
]


def refused(*sets: str, **environment: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_settings(None, sets, {"MLAPI_PROFILE": "seed", **environment})
    return caught.value


@pytest.mark.parametrize(("said", "hint", "instead"), CROSSED, ids=lambda one: str(one)[:60])
def test_what_does_not_go_together_is_told_with_what_to_change(
    said: tuple[str, ...], hint: str, instead: tuple[str, ...]
) -> None:
    error = refused(*said)

    assert error.hint.endswith(hint)
    assert "config show" not in error.hint
    load_settings(None, (*said, *instead), {"MLAPI_PROFILE": "seed"})


@pytest.mark.parametrize(
    "said",
    [
        'tags={"aws:x":"y"}',
        'tags={"A":"1","a":"2"}',
        'container.environment={"A":"x\\u0000"}',
        'container.secrets={"A":"no arn"}',
        search(cpu=300),
    ],
)
def test_where_the_message_says_all_nothing_stands_below_it(said: str) -> None:
    """`config show` reads the same settings, and would refuse them too."""
    error = refused(said)

    assert error.message
    assert error.hint == ""


def test_the_list_of_settings_is_one_that_can_be_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What refuses a variable or a file refuses `config show` as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(strange := f"MLAPI_{'Q' * 60}", "1")
    of_a_variable = refused(**{strange: "1"}).hint
    of_a_file = tmp_path / "ml-api.toml"
    of_a_file.write_text("[network]\nzonez = 3\n")

    for hint in (of_a_variable, refused().hint):
        (command,) = (one for one in re.findall("`([^`]+)`", hint) if " config " in one)
        ran = CliRunner().invoke(cli, ["config", *command.partition(" config ")[2].split()])
        assert ran.exit_code == 0, command
        assert "network" in ran.output


def test_of_what_was_typed_the_settings_are_shown() -> None:
    assert "config show` lists them all." in refused("network.zonez=3").hint


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("network.zones", "many"),
        ("network.nat", "two"),
        ("network.cidr", "nowhere"),
        ("network.cidr", "10.0.0.1/16"),
        ("network.cidr", "127.0.0.0/16"),
        ("database.name", "1x"),
        ("database.name", "postgres"),
        ("database.name", "select"),
        ("database.username", "admin"),
        ("database.username", "rds_x"),
        ("database.username", "pg_x"),
        ("database.username", "user"),
        ("image", "Model"),
        ("account", "none"),
        ("container.health_path", "/%zz"),
        ("container.health_path", "/../x"),
        ("domain.certificate_arn", "arn:aws:acm:eu-west-1:111122223333:certificate/a"),
        ("protect_data", "maybe"),
        ("api.prefixes", '["/*/*/*/*/*/?"]'),
        ("container.environment", '{"A=B":"1"}'),
        ("tags", '{"one!":"two!"}'),
    ],
)
def test_a_refused_value_stands_in_double_quotes(setting: str, value: str) -> None:
    message = refused(f"{setting}={value}").message.partition(" refused: ")[2]

    texts = re.findall(r'"([^"]+)":?', value) or [value]
    for text in texts[: 1 if setting == "container.environment" else None]:
        assert f'"{text}"' in message
        assert message.count(text) == message.count(f'"{text}"')


def test_what_was_typed_stands_in_double_quotes_too() -> None:
    with pytest.raises(UsageError) as caught:
        check_suffix("A_b")
    assert caught.value.message.startswith('The suffix "A_b" cannot be')


def test_a_value_that_is_no_text_of_unicode_can_be_told() -> None:
    assert quoted("caf\udce9 \n") == '"caf\\udce9 \\n"'
    assert quoted("café") == '"café"'
