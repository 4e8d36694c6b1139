"""MkDocs hooks: add the pages that are made from the code, and the architecture and the changelog of the root."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from docs_site import commands, json_formats, reference  # noqa: E402 - found by the line above

# Links of these pages begin at the root of the repository.
_ROOT_PAGES = {
    "explanation/architecture.md": "ARCHITECTURE.md",
    "explanation/benchmarks.md": "benchmarks/results.md",
    "changelog.md": "CHANGELOG.md",
}
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)")
_SOURCE = "https://github.com/my-org/ml-api-provisioner/blob/main/"


def generated_pages() -> Iterator[tuple[str, str]]:
    """Yield path and Markdown of every page that is made from the code."""
    for name, _, text in commands.command_pages():
        yield f"reference/commands/{name}.md", text
    yield "reference/settings.md", reference.settings_page()
    yield "reference/exit-codes.md", reference.exit_codes_page()
    yield "reference/json.md", json_formats.json_page()
    yield "reference/resource-types.md", reference.resource_types_page()
    yield "reference/checks.md", reference.checks_page()
    for path, name in _ROOT_PAGES.items():
        yield path, _relinked((ROOT / name).read_text(), path)


def _relinked(text: str, path: str) -> str:
    """Return a page of the root with its links as the site has them: to a page of the site, else to the source."""
    up = "../" * path.count("/")

    def target(found: re.Match[str]) -> str:
        link = found[1]
        return f"]({up}{link.removeprefix('docs/')})" if link.startswith("docs/") else f"]({_SOURCE}{link})"

    return _LINK.sub(target, text)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the part of the navigation that lists the commands."""
    pages = [{title: f"reference/commands/{name}.md"} for name, title, _ in commands.command_pages()]
    _fill(config.nav, "Commands", pages)
    return config


def _fill(entry: Any, title: str, pages: list[dict[str, str]]) -> None:
    """Put the pages where the navigation has an entry of that title."""
    for each in entry if isinstance(entry, list) else entry.values() if isinstance(entry, dict) else ():
        if isinstance(each, dict) and title in each:
            each[title] = pages
        _fill(each, title, pages)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for path, text in generated_pages():
        files.append(File.generated(config, path, content=text))
    return files
