"""`config`: what is set and by whom, what can be set, a file to begin with; and how what is wrong is told."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from provisioner.configuration import explain_settings, load_settings
from provisioner.configuration.sample import sample_file, to_toml
from provisioner.errors import UsageError
from provisioner.settings import Settings
from provisioner.settings.schema import setting_schemas
from tests.support.user import User


def refused(*sets: str, **environment: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_settings(None, sets, environment)
    return caught.value


def test_every_setting_has_one_line_of_help_and_every_number_a_unit() -> None:
    for schema in setting_schemas().values():
        assert re.fullmatch(r"[^\n]+[^\n.]", schema.help), schema.path
        counts = schema.forms[0].get("type") in ("integer", "number")
        assert not counts or "unit" in schema.schema or schema.path == "container.port", schema.path


def test_each_value_is_told_with_who_said_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[network]\nzones = 2\nnat = 'per_zone'\n[logs]\ndays = 7\n")
    environment = {"MLAPI_NETWORK__ZONES": "4", "MLAPI_LOGS__DAYS": "5"}

    told = {one.schema.path: (one.value, one.source) for one in explain_settings(file, ["logs.days=3"], environment)}

    assert told["network.nat"] == ("per_zone", f"file {file}")
    assert told["network.zones"] == (4, "environment MLAPI_NETWORK__ZONES")
    assert told["logs.days"] == (3, "--set")
    assert told["database.max_acu"] == (2, "default")
    assert told.keys() == setting_schemas().keys()


def test_what_a_profile_lays_under_them_is_told_as_the_profiles() -> None:
    sets = ["profile=production", "waf.enabled=false"]

    told = {one.schema.path: (one.value, one.source) for one in explain_settings(None, sets, {})}

    assert told["network.flow_logs"] == (True, "profile production")
    assert told["waf.enabled"] == (False, "--set")
    assert told["network.zones"] == (3, "default")


def test_config_show_prints_them_as_a_table_and_as_json(user: User) -> None:
    shown = user.run("config", "show", "--set", "network.zones=2", local=False)
    as_json = user.run("config", "show", "--set", "network.zones=2", "--json", local=False)

    assert (shown.code, as_json.code) == (0, 0)
    (line,) = (line for line in shown.out.splitlines() if line.startswith("network.zones"))
    assert re.split(r" {2,}", line) == ["network.zones", "2", "zones", "--set"]
    (record,) = as_json.lines
    (zones,) = (one for one in record["settings"] if one["setting"] == "network.zones")
    assert (zones["value"], zones["default"], zones["source"]) == (2, 3, "--set")
    assert zones["takes"] == "2 to 6 zones"


def test_config_schema_is_the_schema_of_the_model(user: User) -> None:
    schema = json.loads(user.run("config", "schema", local=False).out)

    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["$defs"]["Network"]["properties"]["zones"]["maximum"] == 6
    assert schema["additionalProperties"] is False


def test_config_init_writes_a_file_that_sets_nothing_until_told(user: User, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"

    assert user.run("config", "init", str(path), local=False).code == 0
    again = user.run("config", "init", str(path), local=False)

    assert again.code == 64
    assert "exists" in again.err
    assert path.read_text() == sample_file()
    assert load_settings(path, (), {}) == Settings()
    assert {one.source for one in explain_settings(path, (), {})} == {"default", "profile production"}


def test_every_line_of_that_file_can_be_taken_as_it_is() -> None:
    whole = re.sub(r"^#(?=[a-z])", "", sample_file(), flags=re.MULTILINE)

    said = Settings.model_validate(tomllib.loads(whole))

    changed = {"account": "111122223333"}
    # All that has no default, and does nothing while there are no names.
    domain = said.domain.model_copy(
        update=dict.fromkeys(("hosted_zone_id", "certificate_arn", "balancer_certificate_arn", "origin_name"))
    )
    service = said.service.model_copy(update={"wait_for_database": None})
    database = said.database.model_copy(update={"extended_support": None})
    changed_back = {"account": None, "service": service, "domain": domain, "database": database}
    assert said.model_copy(update=changed_back) == Settings()
    assert said.account == changed["account"]


@pytest.mark.parametrize("value", ['a "b" \\ ü', 3, 2.5, True, [], ["a", "b"], {}, {"a b": "c"}, [{"a": [1]}]])
def test_what_is_written_as_toml_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"x = {to_toml(value)}")["x"] == value


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("network.nat=pr_zone", "network.nat=per_zone"),
        ("network.zones=9", "network.zones=6"),
        ("network.zones=1", "network.zones=2"),
        ("logs.days=29", "logs.days=30"),
        ("container.cpu=1000", "container.cpu=1024"),
        ("container.architecture=arm", "container.architecture=ARM64"),
        ("edge.error_pages=flase", "edge.error_pages=false"),
        ("edge.price_class=PriceClass_10", "edge.price_class=PriceClass_100"),
        ("protect_data=maybe", "protect_data=true"),
        ("database.min_acu=0.7", "database.min_acu=0.5"),
        ("database.max_acu=0.7", "database.max_acu=1.0"),
        ('api.services={"x":{"prefixes":["/x"],"imag":"a"}}', "image"),
        ("database.backup_days=99", "database.backup_days=35"),
    ],
)
def test_an_impossible_value_is_refused_with_the_nearest_that_is_possible(said: str, meant: str) -> None:
    error = refused(said)

    assert f"`{meant}`" in error.hint
    assert "(--set)" in error.message


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("image= nginx", '" nginx" is no image'),
        ("image=ghcr.io/Acme/model:1", "no registry has such a name"),
        ("container.scratch_image=a b", '"a b" is no image'),
        ('api.services={"x":{"prefixes":["/x"],"image":"M:1"}}', '"M:1" is no image'),
        ("service.minimum=11", "; 11 is nearest"),
        ("database.min_acu=3", "; 3.0 is nearest"),
        ("network.cidr=10.0.0.1/16", '"10.0.0.1/16" is an address in a block; 10.0.0.0/16 is nearest'),
        ('network.public_cidrs=["10.0.0.0/24"]', "1 blocks for 3 zones; name 3, or none"),
    ],
)
def test_what_no_image_is_or_goes_with_another_setting_says_what_can_be(said: str, told: str) -> None:
    assert told in refused(said).message


def test_a_value_without_a_setting_is_told_how_it_is_written() -> None:
    error = refused("=hunter2")  # the value may be a secret, and is not repeated

    assert error.message == "--set =... names no setting."
    assert "section.key=value" in error.hint


def test_a_text_where_a_list_belongs_is_answered_with_a_list() -> None:
    assert """alarms.emails=["value"]'""" in refused("alarms.emails=x").hint


def test_a_group_is_told_from_a_setting() -> None:
    error = refused("service=5")

    assert "`network`" in refused("netwrk=5").hint
    assert "`network.zones`" in refused("zones=5").hint
    assert error.message == "`service` is a group of settings (--set)."
    assert "service.minimum, service.maximum" in error.hint


@pytest.mark.parametrize("said", ["api.prefixes=/v3/*", "tags=team", "container.environment=A:b", "tags.team=search"])
def test_a_list_or_a_mapping_that_is_none_is_told_how_to_write_it(said: str) -> None:
    assert "JSON: --set '" in refused(said).hint


def test_who_said_the_wrong_thing_is_named() -> None:
    assert "(environment MLAPI_LOGS__DAYS)" in refused(MLAPI_LOGS__DAYS="8").message


@pytest.mark.parametrize("account", ["foo", "", "12345678901", "1234567890123"])
def test_what_is_no_account_is_no_expectation(user: User, account: str) -> None:
    mark = user.mark()

    ran = user.run("plan", "--suffix", "a", "--expect-account", account)

    assert (ran.code, ran.out) == (64, "")
    assert "twelve digits" in ran.err
    assert user.mark() == mark


def test_a_region_that_is_none_is_refused_before_any_call(user: User) -> None:
    mark = user.mark()

    ran = user.run("plan", "--suffix", "a", "--region", "us-esat-1")

    assert ran.code == 64
    assert "`--region us-east-1`" in ran.err
    assert user.mark() == mark


def test_a_wrong_command_line_is_told_as_json_too(user: User) -> None:
    ran = user.run("plan", "--frobnicate", "--json", local=False)

    assert ran.code == 64
    (record,) = ran.lines
    assert record["result"] == "usage"
    assert "frobnicate" in record["message"]
