"""The settings of the last apply are remembered: what changed is named, and `--set` can be stayed with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.applied_settings import applied_settings, describe_changes
from provisioner.configuration import given_settings, validate_settings
from provisioner.project_folder import find_home
from tests.support.user import User

SALT = "salt"
TOKEN = "b7e1-not-for-any-log"
SETS = ("--set", "service.maximum=9", "--set", f'container.environment={{"TOKEN": "{TOKEN}"}}')


def changes(before: tuple[str, ...], after: tuple[str, ...]) -> list[str]:
    """What is said of two lists of `--set` options, of which the first was applied."""
    given = given_settings(None, before, {}), given_settings(None, after, {})
    first, second = (validate_settings(each) for each in given)
    return describe_changes(applied_settings(given[0], first, SALT), given[1], second, SALT)


def test_each_changed_setting_is_named_with_both_values() -> None:
    before, after = ("profile=seed", "service.maximum=6"), ("profile=production", "service.maximum=10")

    assert changes(before, after) == [
        "Settings changed since the last apply: profile seed -> production, service.maximum 6 -> 10."
    ]


def test_the_same_settings_are_not_spoken_of_however_they_are_given() -> None:
    assert changes(("profile=seed", "service.maximum=6"), ("service.maximum=6", "profile=seed")) == []
    assert changes((), ("profile=production",)) == []  # the default


def test_the_value_that_a_profile_gave_is_compared_with_the_given_one() -> None:
    assert changes(("profile=production",), ("profile=production", "waf.enabled=false")) == [
        "Settings changed since the last apply: waf.enabled true -> false."
    ]


def test_an_option_that_is_given_no_more_is_named() -> None:
    assert changes(("profile=seed", "network.zones=2"), ()) == [
        "Settings changed since the last apply: profile seed -> production, network.zones 2 -> 3.",
        "Given at the last apply and not now: `--set profile=seed`, `--set network.zones=2`. "
        "`--keep-settings` gives the same again.",
    ]


@pytest.mark.parametrize(
    ("after", "named"),
    [
        ('{"A": "1", "B": "2"}', ""),
        ('{"A": "1"}', "container.environment.B (set) -> unset"),
        ('{"A": "7", "B": "2"}', "container.environment.A (changed)"),
        ('{"A": "1", "B": "2", "C": "3"}', "container.environment.C (set)"),
    ],
)
def test_values_that_may_be_secret_are_compared_and_not_shown(after: str, named: str) -> None:
    found = changes(('container.environment={"A": "1", "B": "2"}',), (f"container.environment={after}",))

    assert found == ([f"Settings changed since the last apply: {named}."] if named else [])


def test_a_member_of_a_mapping_is_named_by_its_path() -> None:
    def services(key: str, cpu: int) -> tuple[str, ...]:
        reports = {"prefixes": ["/r/*"], "image": "a.example/r:1", "cpu": cpu, "environment": {"KEY": key}}
        return (f"api.services={json.dumps({'reports': reports})}",)

    (found,) = changes(services("one", 512), services("two", 1024))

    assert "api.services.reports.environment.KEY (changed)" in found
    assert "api.services.reports.cpu 512 -> 1024" in found


def test_plan_apply_and_drift_name_what_changed(user: User) -> None:
    user.apply("prod", *SETS)

    for command in (("plan",), ("drift",), ("apply", "--yes")):
        ran = user.well(*command, "--suffix", "prod", "--set", "service.maximum=8")
        answer = ran.out + ran.err
        assert "last apply: container.environment.TOKEN (set) -> unset, service.maximum 9 -> 8." in answer
        assert 'not now: `--set container.environment={"TOKEN": "..."}`.' in answer
        assert TOKEN not in answer
    assert user.plan("prod", "--set", "service.maximum=8") == "No changes.\n"
    assert TOKEN not in user.ledger("prod").read_text()


def test_the_options_of_the_last_apply_can_be_kept(user: User, tmp_path: Path) -> None:
    user.apply("prod", *SETS)
    before = user.mark()

    assert user.plan("prod", "--keep-settings") == "No changes.\n"
    user.well("apply", "--yes", "--suffix", "prod", "--keep-settings")
    assert user.acts(before) == []
    assert user.plan("prod", *SETS) == "No changes.\n"

    saved = tmp_path / "kept.plan"
    user.well("plan", "--suffix", "prod", "--keep-settings", "--set", "network.nat=per_zone", "--out", str(saved))
    assert "service.maximum=9" in json.loads(saved.read_text())["sets"]


def test_an_option_of_now_wins_over_a_kept_one(user: User) -> None:
    user.apply("prod", "--set", "service.maximum=9")

    assert "MaxCapacity: 9 -> 7" in user.plan("prod", "--keep-settings", "--set", "service.maximum=7")


def test_a_variable_whose_value_nobody_knows_is_listed_as_missing(user: User) -> None:
    user.apply("prod", *SETS)
    state = user.known("prod")
    state["settings"]["container.environment"]["value"]["OTHER"] = "hmac-sha256:x:y"
    user.ledger("prod").write_text(json.dumps(state))

    ran = user.run("plan", "--suffix", "prod", "--keep-settings")

    assert (ran.code, "container.environment.OTHER" in ran.err) == (64, True), ran.err
    assert "container.environment.TOKEN" not in ran.err


def test_an_apply_without_changes_remembers_its_settings_too(user: User) -> None:
    user.apply("prod")

    user.well("apply", "--yes", "--suffix", "prod", "--set", "service.wait_for_database=true")

    assert user.known("prod")["settings"]["service.wait_for_database"] == {"value": True, "source": "--set"}


def test_the_settings_file_is_found_upwards_and_named(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project" / "deeper"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "ml-api.toml").write_text("[network]\nzones = 2\n")
    monkeypatch.chdir(folder)

    ran = user.well("plan", "--suffix", "prod")

    assert f"settings from {tmp_path / 'project' / 'ml-api.toml'}" in ran.err
    assert "private-3" not in ran.out
    monkeypatch.chdir(tmp_path / "project")
    assert "settings from ml-api.toml" in user.well("plan", "--suffix", "prod").err


def test_the_states_are_beside_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project" / "deeper"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)

    assert find_home() == Path(".ml-api")
    (tmp_path / "project" / "ml-api.toml").touch()
    assert find_home() == tmp_path / "project" / ".ml-api"
    (folder / ".ml-api").mkdir()
    assert find_home() == Path(".ml-api")


def test_the_first_apply_has_nothing_to_compare_with() -> None:
    assert describe_changes(None, {}, validate_settings({}), SALT) == []


def test_where_nothing_is_remembered_there_is_nothing_to_keep(user: User) -> None:
    ran = user.run("apply", "--yes", "--suffix", "prod", "--keep-settings")

    assert (ran.code, "No settings of the stack prod are remembered" in ran.err) == (64, True)
    assert user.acts() == []


def test_a_variable_that_runs_with_another_value_is_not_taken_for_the_kept_one(user: User) -> None:
    user.apply("prod", *SETS)
    user.well(
        "deploy", "--yes", "--suffix", "prod", "--image", "a.example/ml:2", "--env", "TOKEN=another", "--no-smoke"
    )
    before = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "prod", "--keep-settings")

    assert (ran.code, "container.environment.TOKEN" in ran.err) == (64, True), ran.err
    assert "Give `--set container.environment=...` again" in ran.err
    assert user.acts(before) == []


def test_an_apply_of_a_part_does_not_count_as_the_last_apply(user: User) -> None:
    user.apply("prod", "--set", "service.maximum=9")

    user.well("apply", "--yes", "--suffix", "prod", "--set", "logs.days=14", "--target", "logs")

    assert "logs.days" not in user.known("prod")["settings"]
    assert "`--set service.maximum=9`" in user.plan("prod")


def test_each_stack_keeps_its_own_options(user: User) -> None:
    user.apply("one", "--set", "service.maximum=9")
    user.apply("two", "--set", "logs.days=14")

    ran = user.well("plan", "--all", "--keep-settings")

    assert ran.out == "one:\nNo changes.\ntwo:\nNo changes.\n"


def test_a_saved_plan_says_what_its_apply_must_be_given_again(user: User, tmp_path: Path) -> None:
    saved = tmp_path / "kept.plan"
    user.apply("prod", *SETS)

    kept = user.well("plan", "--suffix", "prod", "--keep-settings", "--set", "logs.days=14", "--out", str(saved))
    assert f"apply {saved} --local --keep-settings` does exactly that" in kept.err
    assert user.run("apply", "--yes", str(saved)).code == 5
    user.well("apply", "--yes", str(saved), "--keep-settings")
    typed = user.well("plan", "--suffix", "prod", *SETS, "--out", str(saved))
    assert f"apply {saved} --local --set container.environment=...` does exactly that" in typed.err


def test_a_saved_plan_keeps_a_setting_that_only_sounds_like_a_variable(user: User, tmp_path: Path) -> None:
    saved = tmp_path / "tagged.plan"
    user.well("plan", "--suffix", "prod", "--set", 'tags={"owner": "environment-team"}', "--out", str(saved))

    user.well("apply", "--yes", str(saved))

    assert user.known("prod")["settings"]["tags"]["value"] == {"owner": "environment-team"}


def test_unset_members_of_a_dropped_option_are_not_shown() -> None:
    services = {"reports": {"prefixes": ["/r/*"], "image": "a.example/r:1", "environment": {"KEY": "one"}}}

    *_, note = changes((f"api.services={json.dumps(services)}",), ())

    assert '"environment": {"KEY": "..."}' in note
    assert "null" not in note


def test_keeping_settings_needs_calls(user: User) -> None:
    ran = user.run("plan", "--suffix", "prod", "--keep-settings", "--offline")

    assert (ran.code, "Leave one of them out." in ran.err) == (64, True)


def test_that_no_file_gives_settings_any_more_is_said(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "ml-api.toml").write_text("[logs]\ndays = 7\n")
    monkeypatch.chdir(tmp_path / "project")
    user.well("apply", "--yes", "--suffix", "a")
    monkeypatch.chdir(tmp_path)

    elsewhere = user.plan("a")

    assert "had settings of the file ml-api.toml; now no file gives any. Name it: --config." in elsewhere
    assert user.plan("a", "--config", "project/ml-api.toml") == "No changes.\n"


def test_a_settings_file_that_leads_nowhere_is_refused(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ml-api.toml").write_text("")
    Path("below").mkdir()
    monkeypatch.chdir("below")
    Path("ml-api.toml").symlink_to("nowhere")

    ran = user.run("plan", "--suffix", "a", "--offline", local=False)

    assert ran.code == 64
    assert "The settings file ml-api.toml cannot be used: No such file" in ran.err
