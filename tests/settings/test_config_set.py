"""`config set` and `config unset`: the settings file is changed as asked, or not at all, and keeps its comments."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.support.user import CommandResult, User

FILE = """# ours
image = "registry.example/api:1"  # the newest

[service]
# at night
minimum = 2
maximum = 9
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ml-api.toml"
    path.write_text(FILE)
    return path


def config(user: User, *arguments: str) -> CommandResult:
    """A command about the settings."""
    return user.run("config", *arguments, local=False)


def test_a_setting_is_changed_where_it_is_and_comments_stay(user: User, file: Path) -> None:
    ran = config(user, "set", "service.maximum=20")

    assert ran.code == 0, ran.err
    assert ran.out == "service.maximum = 20 in ml-api.toml\n"
    assert file.read_text() == FILE.replace("maximum = 9", "maximum = 20")


def test_several_are_set_at_once_in_sections_that_are_made(user: User, file: Path) -> None:
    ran = config(user, "set", "profile=seed", "network.zones=2", 'tags={"team": "search"}', "waf.enabled=true")

    assert ran.code == 0, ran.err
    document = tomllib.loads(file.read_text())
    assert (document["profile"], document["network"], document["waf"]) == ("seed", {"zones": 2}, {"enabled": True})
    assert document["tags"] == {"team": "search"}
    assert "# the newest" in file.read_text()


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("service.maximum=many", "is not 1 to 5000 tasks"),
        ("service.maxmum=3", "Did you mean `service.maximum`?"),
        ("service.minimum=10", "service"),
        ("service.maximum", "has no value"),
    ],
)
def test_what_is_not_valid_changes_nothing(user: User, file: Path, assignment: str, said: str) -> None:
    ran = config(user, "set", "network.zones=2", assignment)

    assert ran.code == 64
    assert said in ran.err
    assert file.read_text() == FILE


def test_a_file_is_made_where_there_is_none(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    config(user, "set", "service.maximum=20")

    assert (tmp_path / "ml-api.toml").read_text() == "[service]\nmaximum = 20\n"
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["ml-api.toml"]


def test_a_setting_is_taken_out(user: User, file: Path) -> None:
    assert config(user, "unset", "service.maximum", "image").code == 0

    document = tomllib.loads(file.read_text())
    assert document == {"service": {"minimum": 2}}
    assert config(user, "unset", "service.maxmum").code == 64


def test_values_of_variables_are_not_shown_and_rights_stay(user: User, file: Path) -> None:
    file.chmod(0o600)

    ran = config(user, "set", 'container.environment={"TOKEN": "b7e1"}', "--json")

    assert json.loads(ran.out)["value"] == {"TOKEN": "(set)"}
    assert tomllib.loads(file.read_text())["container"]["environment"] == {"TOKEN": "b7e1"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_nearest_file_is_the_one_that_is_changed(
    user: User, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")

    config(user, "set", "service.maximum=20")

    assert "maximum = 20" in file.read_text()
    assert list((tmp_path / "deeper").iterdir()) == []


def test_a_link_leads_to_the_file_that_is_changed(user: User, file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    assert config(user, "set", "service.maximum=20", "--config", str(link)).code == 0

    assert link.is_symlink()
    assert "maximum = 20" in file.read_text()


def test_nothing_is_made_to_take_a_setting_out_of(user: User, tmp_path: Path) -> None:
    ran = config(user, "unset", "service.maximum", "--config", str(tmp_path / "none.toml"))

    assert (ran.code, "There is no settings file" in ran.err) == (64, True)
    assert not (tmp_path / "none.toml").exists()


@pytest.mark.parametrize(
    ("text", "names", "rest"),
    [
        ("[service]\nmaximum = 9\nmaximal = 3\n", ["service.maximal"], "[service]\nmaximum = 9\n"),
        ("old = 1\n\n[service]\nmaximum = 9\n", ["old"], "[service]\nmaximum = 9\n"),
        ("[gone]\nkey = 1\n\n[service]\nmaximum = 9\n", ["gone.key"], "[service]\nmaximum = 9\n"),
        ("[gone]\na = 1\nb = 2\n\n[service]\nmaximum = 9\n", ["gone"], "[service]\nmaximum = 9\n"),
        ("[service]\nmaximum = 9\none = 1\ntwo = 2\n", ["service.one", "service.two"], "[service]\nmaximum = 9\n"),
        ("[service]\nmaximum = 9\nmaximum_old = {a = 1}\n", ["service.maximum_old"], "[service]\nmaximum = 9\n"),
    ],
)
def test_what_is_no_setting_any_more_is_taken_out(
    user: User, file: Path, text: str, names: list[str], rest: str
) -> None:
    file.write_text(text)

    ran = config(user, "unset", *names)

    assert ran.code == 0, ran.err
    assert ran.out == "".join(f"{name} is not set in ml-api.toml any more.\n" for name in names)
    assert file.read_text() == rest


def test_what_remains_must_be_valid(user: User, file: Path) -> None:
    text = "[service]\none = 1\ntwo = 2\n"
    file.write_text(text)

    ran = config(user, "unset", "service.one")

    assert (ran.code, "There is no setting `service.two`" in ran.err) == (64, True)
    assert file.read_text() == text


@pytest.mark.parametrize("name", ["service.maxmum", "service", "gone.key", "image.tag"])
def test_what_is_neither_a_setting_nor_in_the_file_is_refused(user: User, file: Path, name: str) -> None:
    ran = config(user, "unset", "image", name)

    assert (ran.code, f"`{name.removesuffix('.tag')}`" in ran.err) == (64, True)
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('image = "a/b:1"\n\n[network]\nzones = 2\n', 'image = "a/b:1"\n'),
        ("[network]\nzones = 2\n\n[service]\nmaximum = 9\n", "[service]\nmaximum = 9\n"),
        ("network = {zones = 2}\n\n[service]\nmaximum = 9\n", "[service]\nmaximum = 9\n"),
        ("[network]\nzones = 2\n", ""),
        ("network.zones = 2\nservice.maximum = 9\n", "service.maximum = 9\n"),
        ("[network] # ours\nzones = 2\n", "[network] # ours\n"),
        ("[network]\n# zones = 3\nzones = 2\n", "[network]\n# zones = 3\n"),
    ],
)
def test_an_empty_section_goes_too_unless_it_has_a_comment(user: User, file: Path, text: str, rest: str) -> None:
    file.write_text(text)

    ran = config(user, "unset", "network.zones")

    assert ran.code == 0, ran.err
    assert file.read_text() == rest


def test_a_setting_that_was_not_set_is_not_said_to_be_taken_out(user: User, file: Path) -> None:
    ran = config(user, "unset", "network.zones", "service.maximum")

    assert ran.code == 0, ran.err
    assert ran.out == (
        "network.zones was not set in ml-api.toml: there was nothing to take out.\n"
        "service.maximum is not set in ml-api.toml any more.\n"
    )
    again = config(user, "unset", "service.maximum", "--json")
    assert [(line["value"], line["was_set"]) for line in again.lines] == [(None, False)]
