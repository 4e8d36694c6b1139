from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.configuration import load_settings
from provisioner.errors import UsageError
from provisioner.settings import PLACEHOLDER, Settings
from provisioner.settings.schema import setting_schemas
from provisioner.settings.variants import settings_in_other_profile


def given(*sets: str, file: Path | None = None, **environment: Any) -> Settings:
    return load_settings(file, sets, environment)


def refused(*sets: str, **environment: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        given(*sets, **environment)
    return caught.value


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        account = "123456789012"
        tags = { Owner = "ada" }
        [network]
        zones = 2
        [container]
        environment = { MODEL = "small" }
        """
    )
    return path


def test_with_nothing_said_it_is_fit_for_production() -> None:
    assert given() == given("profile=production")
    assert given().waf.enabled
    assert given().protect_data


def test_the_profile_of_the_seed_is_the_seed() -> None:
    settings = given("profile=seed")

    assert (settings.network.cidr, settings.network.zones, settings.network.nat) == ("10.0.0.0/16", 3, "one")
    assert (settings.container.cpu, settings.container.memory, settings.container.port) == (1024, 2048, 8080)
    assert (settings.service.minimum, settings.service.maximum, settings.service.requests) == (2, 10, 1000)
    assert (settings.service.spot_weight, settings.service.fargate_weight, settings.service.fargate_base) == (70, 30, 2)
    assert (settings.database.version, settings.database.min_acu, settings.database.max_acu) == ("17", 0.5, 2)
    assert (settings.database.final_snapshot, settings.database.deletion_protection) == (False, False)
    assert (settings.logs.days, settings.image) == (30, PLACEHOLDER)
    assert settings.api.prefixes == ("/api/v1/*", "/api/v2/*")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(toml: Path) -> None:
    variable = {"MLAPI_NETWORK__ZONES": "4"}

    assert given(file=toml).network.zones == 2
    assert given(file=toml, **variable).network.zones == 4
    assert given("network.zones=5", file=toml, **variable).network.zones == 5


def test_what_a_file_says_beside_it_stays(toml: Path) -> None:
    settings = given("network.nat=per_zone", file=toml)

    assert (settings.network.zones, settings.network.nat, settings.account) == (2, "per_zone", "123456789012")
    assert (settings.tags, settings.container.environment) == ({"Owner": "ada"}, {"MODEL": "small"})


def test_the_file_of_the_working_directory_is_taken_by_itself(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toml.parent)
    assert given().network.zones == 3

    toml.rename("ml-api.toml")
    assert given().network.zones == 2


@pytest.mark.parametrize("content", [b"network = [", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=r"bad\.toml"):
        given(file=path)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("network.zone", "network.zones"),
        ("networks.zones", "network.zones"),
        ("zones", "network.zones"),
        ("service.minmum", "service.minimum"),
        ("imag", "image"),
        ("database.max_acus", "database.max_acu"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(said: str, meant: str) -> None:
    error = refused(f"{said}=1")

    assert f"`{said}`" in error.message
    assert f"`{meant}`" in error.hint
    assert error.exit_code == 64


def test_an_unknown_key_that_is_near_nothing_lists_all() -> None:
    assert all(path in refused("qqqq=1").hint for path in setting_schemas())


def test_an_unknown_key_in_a_file_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "typo.toml"
    path.write_text("[network]\nzoness = 3\n")

    with pytest.raises(UsageError, match="zoness"):
        given(file=path)


def test_a_set_without_a_value_says_how_to_write_it() -> None:
    assert "section.key=value" in refused("network.zones").hint


@pytest.mark.parametrize(
    ("one", "value"),
    [
        ('tags={"Owner": "ada"}', {"Owner": "ada"}),
        ("tags={}", {}),
    ],
)
def test_mappings_are_written_as_json(one: str, value: dict[str, str]) -> None:
    assert given(one).tags == value


def test_lists_truths_and_nothing_are_written_as_json_too() -> None:
    settings = given('api.prefixes=["/v9/*"]', "edge.error_pages=false", "service.wait_for_database=null")

    assert (settings.api.prefixes, settings.edge.error_pages, settings.service.wait_for_database) == (
        ("/v9/*",),
        False,
        None,
    )


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("network.zones", "2", 2),
        ("network.nat", "per_zone", "per_zone"),
        ("container.port", "9090", 9090),
        ("container.health_path", "/up", "/up"),
        ("service.minimum", "3", 3),
        ("service.spot_weight", "0", 0),
        ("service.wait_for_database", "true", True),
        ("database.version", "16", "16"),
        ("database.version", "16.10", "16.10"),
        ("database.max_acu", "4.5", 4.5),
        ("database.deletion_protection", "true", True),
        ("logs.days", "7", 7),
        ("edge.error_pages", "false", False),
        ("account", "123456789012", "123456789012"),
    ],
)
def test_every_sort_of_setting_can_be_given_by_flag_and_by_environment(path: str, text: str, value: object) -> None:
    variable = f"MLAPI_{path.upper().replace('.', '__')}"

    for settings in (given(f"{path}={text}"), given(**dict[str, Any]({variable: text}))):
        found: object = settings
        for part in path.split("."):
            found = getattr(found, part)
        assert (type(found), found) == (type(value), value)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert given("container.health_path=/well?a=b").container.health_path == "/well?a=b"


@pytest.mark.parametrize(("image", "waits"), [(PLACEHOLDER, False), ("mine:1", True)])
def test_an_image_of_ones_own_waits_for_the_database(image: str, waits: bool) -> None:
    assert given(f"image={image}").workloads[0].waits_for_database is waits
    assert given(f"image={image}", "service.wait_for_database=false").workloads[0].waits_for_database is False
    assert given(f"image={image}", "service.wait_for_database=true").workloads[0].waits_for_database is True


@pytest.mark.parametrize("sets", [(), ("waf.rate_limit=100", "network.zones=2")])
def test_what_was_said_is_the_same_in_the_other_profile(sets: tuple[str, ...]) -> None:
    for one, other in (("seed", "production"), ("production", "seed")):
        assert settings_in_other_profile(given(f"profile={one}", *sets)) == given(f"profile={other}", *sets)


def test_what_the_other_profile_does_not_take_is_nothing_there() -> None:
    assert settings_in_other_profile(given("profile=seed", "service.exec=true")) is None
