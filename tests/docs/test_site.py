"""The documentation site: it builds, its links lead somewhere, and it knows what the code knows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

from docs_site import screens
from docs_site.commands import command_pages
from docs_site.json_lines import LINES
from docs_site.reference import checks_page, exit_codes_page, resource_types_page, settings_page
from provisioner.commands.main import cli
from provisioner.configuration import load_settings
from provisioner.doctor.checks import CHECKS
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Timeline
from provisioner.resources import RESOURCE_TYPES
from provisioner.settings.schema import setting_schemas
from state.serialization import json_keys
from tests.support.user import ROOT, User

PAGES = screens.pages()
MOST_README_LINES = 200
# Lines that are one of the documents of the reference.
DOCUMENT_KEYS = {"run": json_keys(Run), "timeline": {*json_keys(Timeline), "critical", "efficiency"}}
EXIT_CODES = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "64", "130", "143"}


class Links(HTMLParser):
    """Where a page leads to, what it loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attributes if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.targets += [given[name] for name in ("href", "src") if name in given]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    links = {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}
    dead = [
        f"{page.relative_to(site)}: {target}"
        for page, found in links.items()
        for target in found.targets
        if not _leads_somewhere(site, page, target, links)
    ]

    assert len(links) > 40
    assert dead == []


def _leads_somewhere(site: Path, page: Path, target: str, links: dict[Path, Links]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("https", "data")
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    path = path / "index.html" if path.is_dir() else path
    return path.exists() and (not parts.fragment or unquote(parts.fragment) in links[path].anchors)


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = [
        found
        for page in site.rglob("*.html")
        for found in re.findall(r"<(?:script|img|link)[^>]*(?:src|href)=\"?(https?://[^\s\">]+)", page.read_text())
    ]

    assert [one for one in loaded if "my-org" not in one] == []


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command
        yield f"{prefix}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")


def test_every_command_and_option_is_in_the_reference() -> None:
    pages = "\n".join(text for _, _, text in command_pages())

    for name, command in commands(cli):
        assert re.search(rf"^#+ {re.escape(name)}$", pages, re.MULTILINE), name
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                assert any(option in pages for option in param.opts), (name, param.name)


def test_every_setting_type_check_and_exit_code_is_in_the_reference() -> None:
    settings, types, checks, codes = settings_page(), resource_types_page(), checks_page(), exit_codes_page()

    assert [path for path in setting_schemas() if f"| `{path}` |" not in settings] == []
    assert [name for name in RESOURCE_TYPES if f"\n### {name}\n" not in types] == []
    assert [check.name for check in CHECKS if f"| `{check.name}` | {check.stage} |" not in checks] == []
    assert set(re.findall(r"^\| (\d+) \|", codes, re.MULTILINE)) == EXIT_CODES


# A life of one stack, in commands whose JSON the reference explains.
LIFE = """
apply -s demo --yes|plan -s demo --set logs.days=60|plan -s demo --offline|plan -s demo --destroy|status -s demo
status -s demo --cached|drift -s demo|doctor -s demo|outputs -s demo|deploy -s demo --image mine.example/api:1 --yes
releases -s demo|logs -s demo --since 10m|rollback -s demo --yes|scale -s demo --max 12 --yes|restart -s demo --yes
history|show last|diff|timeline -s demo|list|state history -s demo|state init --state s3://my-team/x --yes
config show|policy -s demo --for deploy|bootstrap -s demo --repo a/b --branch main|open -s demo --print
local status|teardown -s demo --yes --dry-run|plan --nope
"""


def test_every_field_of_a_json_line_is_in_the_reference(user: User) -> None:
    documented = {name: set(fields) for name, (_, fields) in LINES.items()}
    documented |= {title.lower(): set(map(str, keys)) for title, keys in DOCUMENT_KEYS.items()}
    for command in LIFE.replace("\n", "|").strip("|").split("|"):
        for record in user.run(*command.split(), "--json").lines:
            fields = set(record) - {"type", "format_version"}
            assert fields <= documented[record["type"]], (command, record["type"], fields - documented[record["type"]])


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_README_LINES


def test_the_readme_names_what_the_plan_prices() -> None:
    [cost] = [text for name, text in screens.shown(ROOT / "docs/explanation/costs.md") if name == "cost"]
    found = re.search(r"0\.00 -> ([\d.]+) USD.*profile=seed: ([\d.]+)", cost, re.DOTALL)
    assert found
    least, seed = (round(float(amount)) for amount in found.groups())

    readme = " ".join((ROOT / "README.md").read_text().split())

    assert (
        f"About {least} USD a month at the least in us-east-1 for the profile `production`, {seed} for `seed`" in readme
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_holds_no_commit_and_settings_are_valid(page: Path) -> None:
    text = page.read_text()
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)

    assert re.findall(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b", re.sub(r"`[^`]*`", "", prose)) == []
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        load_settings(None, [f"{key}={value}" for key, value in _flat(tomllib.loads(block))])


def _flat(document: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        is_section = isinstance(value, dict) and not prefix and key != "tags"
        if is_section:
            assert isinstance(value, dict)
            yield from _flat(value, f"{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)


def test_every_screen_is_shown_and_every_screen_shown_is_made() -> None:
    shown = {name for page in PAGES for name, _ in screens.shown(page)}

    assert shown == {screen.name for screen in screens.SCREENS}


@pytest.mark.slow
def test_every_screen_is_what_the_commands_print(tmp_path: Path) -> None:
    environment = screens.clean_environment()
    printed = dict(screens.transcripts(tmp_path, environment))

    stale = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name, text in screens.shown(page)
        if screens.normalize(text) != screens.normalize(printed[name])
    ]

    assert stale == [], "`make screens` renews them"


def test_the_picture_of_the_stack_is_what_graph_draws(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli.py"), *screens.PICTURE.split()[1:]]
    drawn = subprocess.run(
        command, cwd=tmp_path, env=screens.clean_environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert drawn.stdout == (ROOT / "docs/assets/stack.svg").read_text(), "`make screens` draws it again"
