"""The screens of the documentation: what commands print on the local AWS; `make screens` renews them.

A page shows the transcript of a screen in the code block below `<!-- screen NAME -->`. `normalize` takes out what
differs in each run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parent.parent
_SHOWN = re.compile(r"(<!-- screen ([\w-]+) -->\n```console\n)(.*?)(```\n)", re.DOTALL)
_PROGRAM = Path(sys.executable).with_name("ml-api")
_REGION = "us-east-1"
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?Z|\d{8}[Tt]\d{6}(\.\d+)?Z?(-\d+-[0-9a-f]+)?"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)? UTC"), "<time>"),
    (re.compile(r"http://127\.0\.0\.1:\d+|\w+@[\w.-]+"), "<host>"),
    (re.compile(r"[0-9a-z]+\.cloudfront\.net|cluster-[0-9a-z]{12}\b"), "<name>"),
    (re.compile(r"-[0-9a-zA-Z]{6}\b(?=[:'\s])|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b(\w+-)?[0-9a-f]{8,}\b|\b\d{15,}\b"), "<id>"),
    (re.compile(r"\d+(\.\d+)? m(in)?( \d+ s)?\b|\d+(\.\d+)? (s|calls?)\b|\b\d+\.\d\b|\d+%(?= of the run)"), "<amount>"),
    (re.compile(r"\|([ =-]|<amount>)*\|"), "<bar>"),
    (re.compile(r"[ ─│-]{2,}"), " "),
)


@dataclass(frozen=True)
class Screen:
    """A command as it is shown, and which part of its output: the first and the last lines, all if both are 0.

    `before` is done to the account of the local AWS first; `codes` are the exit codes that the command may have.
    """

    name: str
    command: str
    first: int = 0
    last: int = 0
    codes: tuple[int, ...] = (0,)
    before: Callable[[str], object] = lambda _endpoint: None
    # A command that is run before, and not shown.
    quietly: str = ""


def _ec2(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client("ec2", endpoint_url=endpoint, region_name=_REGION, **keys)


def _group(endpoint: str, name: str) -> str:
    filters = [{"Name": "tag:ml-api:node", "Values": [name]}]
    return str(_ec2(endpoint).describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def open_ssh(endpoint: str) -> None:
    """Let an address reach the tasks by SSH, as somebody in a hurry does."""
    _ec2(endpoint).authorize_security_group_ingress(
        GroupId=_group(endpoint, "sg-tasks"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="203.0.113.7/32"
    )


def close_database(endpoint: str) -> None:
    """Take the rule away by which the tasks reach the database."""
    ec2, group = _ec2(endpoint), _group(endpoint, "sg-db")
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])


# The picture of the stack, in docs/assets/stack.svg.
PICTURE = "ml-api graph --suffix prod --format svg"
_IMAGE = "public.ecr.aws/acme/model"
SCREENS = (
    Screen("cost", "ml-api plan --suffix demo --local", last=16),
    Screen("apply", "ml-api apply --suffix demo --local --yes", last=10),
    Screen("plan-silent", "ml-api plan --suffix demo --local"),
    Screen("status", "ml-api status --suffix demo --local"),
    Screen("deploy", f"ml-api deploy --suffix demo --local --image {_IMAGE}:1.4.2 --yes"),
    Screen(
        "deploy-fails",
        f"ml-api deploy --suffix demo --local --image {_IMAGE}:1.5.0 --env HOW=EXIT=3 --yes",
        codes=(10,),
    ),
    Screen("releases", "ml-api releases --suffix demo --local"),
    Screen("logs", "ml-api logs --suffix demo --local --since 10m --filter ending", last=2),
    Screen("run", "ml-api run --suffix demo --local --yes -- python manage.py migrate"),
    Screen(
        "rollback",
        "ml-api rollback --suffix demo --local --yes",
        quietly=f"ml-api deploy --suffix demo --local --image {_IMAGE}:1.5.1 --yes --quiet",
    ),
    Screen("scale", "ml-api scale --suffix demo --local --max 12 --yes"),
    Screen("plan-managed", "ml-api plan --suffix demo --local --set service.maximum=20"),
    Screen(
        "plan",
        "ml-api plan --suffix demo --local --set database.max_acu=8 --set logs.days=60 --out demo.plan",
    ),
    Screen("plan-moved", "ml-api apply demo.plan --local --set alarms.latency=3", codes=(5,)),
    Screen("plan-refused", "ml-api apply --suffix demo --local --yes --set database.name=other", codes=(5,)),
    Screen("drift", "ml-api drift --suffix demo --local", before=open_ssh),
    Screen("drift-applied", "ml-api apply --suffix demo --local --yes", last=8),
    Screen("doctor", "ml-api doctor --suffix demo --local", first=3, last=7, codes=(1,), before=close_database),
    Screen("history", "ml-api history --local", quietly="ml-api apply --suffix demo --local --yes --quiet"),
    Screen("show", "ml-api show last --local", first=9),
    Screen("timeline", "ml-api timeline --suffix demo --local"),
    Screen("policy", "ml-api policy --suffix demo --for deploy --expect-account 111122223333", first=20),
    Screen("state-init", "ml-api state init --local --state s3://my-team-state/ml-api --yes"),
    Screen("teardown-refused", "ml-api teardown --suffix demo --local --yes", codes=(5,)),
    Screen("teardown", "ml-api teardown --suffix demo --local --unprotect --yes", last=4),
    Screen("local-stop", "ml-api local stop"),
)


def normalize(text: str) -> str:
    """Return a transcript without the ids, times, hosts and amounts that differ in each run."""
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text


def transcripts(home: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the transcript of each screen, run one after the other in a folder.

    Raises:
        RuntimeError: A command ended with another exit code than it should.

    """
    for screen in SCREENS:
        if screen.quietly:
            _run(screen.quietly, home, environment, (0,))
        if screen.before is not Screen.before:
            screen.before(_endpoint(home, environment))
        output = _run(screen.command, home, environment, screen.codes)
        yield screen.name, f"$ {screen.command}\n{_part(output, screen)}"


def _run(command: str, home: Path, environment: Mapping[str, str], codes: tuple[int, ...]) -> str:
    """Run a command line in a folder; return what it writes to both streams."""
    words = [str(_PROGRAM), *shlex.split(command)[1:]]
    ran = subprocess.run(  # noqa: S603 - the commands above
        words, cwd=home, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if ran.returncode not in codes:
        raise RuntimeError(f"{command} ended with {ran.returncode}:\n{ran.stdout}")
    return ran.stdout


def _endpoint(home: Path, environment: Mapping[str, str]) -> str:
    output = _run("ml-api local status --json", home, environment, (0,))
    found = re.search(r"http://127\.0\.0\.1:\d+", output)
    if not found:
        raise RuntimeError(f"no local AWS runs: {output}")
    return found[0]


def _part(output: str, screen: Screen) -> str:
    lines = output.rstrip("\n").split("\n")
    if (not screen.first and not screen.last) or len(lines) <= screen.first + screen.last:
        return "\n".join(lines) + "\n"
    return "\n".join([*lines[: screen.first], "...", *lines[len(lines) - screen.last :]]) + "\n"


def clean_environment() -> dict[str, str]:
    """Return the environment without credentials, settings and preferences of whoever runs this."""
    foreign = ("AWS_", "MLAPI_", "MOTO_", "GITHUB_", "ENVIRONMENT_SUFFIX", "DB_PASSWORD", "NO_COLOR", "FORCE_COLOR")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def pages() -> list[Path]:
    """Return the pages that may show screens."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page: Path) -> list[tuple[str, str]]:
    """Return name and transcript of each screen on a page, in their order."""
    return [(found[2], found[3]) for found in _SHOWN.finditer(page.read_text())]


def main() -> None:
    """Run all commands in a temporary folder and write what they print into the pages, and the picture of the stack."""
    environment = clean_environment()
    with tempfile.TemporaryDirectory() as home:
        texts = dict(transcripts(Path(home), environment))
        (ROOT / "docs/assets/stack.svg").write_text(_run(PICTURE, Path(home), environment, (0,)))
    for page in pages():
        page.write_text(_SHOWN.sub(lambda found: f"{found[1]}{texts[found[2]]}{found[4]}", page.read_text()))


if __name__ == "__main__":
    main()
