"""What a shell offers after a tab, and how little it waits for it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from provisioner.commands.main import cli
from provisioner.names import WRITER
from state.run_store import FileRunStore
from state.stack_state import ResourceState, StackLocation, StackState
from tests.cli.test_startup import imported
from tests.support.user import User

PLACE = StackLocation("123456789012", "aws", "us-east-1", "")
PROGRAM = Path(sys.executable).with_name("ml-api")
SOON = 0.15  # seconds


def ledger(home: Path, suffix: str, *nodes: tuple[str, str, str]) -> None:
    """A ledger with these nodes, each with its piece and kind."""
    resource_states = {name: ResourceState(type_name, "", step) for step, name, type_name in nodes}
    if suffix == "test":
        container = {"name": "api", "environment": [{"name": "DB_HOST", "value": "db"}]}
        resource_states["task"] = ResourceState(
            "TaskDefinition", "", "ecs", desired={"containerDefinitions": [container]}
        )
    state = StackState(suffix, PLACE, serial=1, resources=resource_states, outputs={"vpc_id": "vpc-1"})
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{suffix}.json").write_bytes(state.dump(WRITER))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stacks, a rehearsal, and the runs of one that is gone."""
    home = tmp_path / "home"
    ledger(home, "prod", ("vpc", "nat-1", "NatGateway"), ("vpc", "vpc", "Vpc"), ("ecs", "app", "Service"))
    ledger(home, "test")
    ledger(home / "embedded", "try", ("alb", "alb", "LoadBalancer"))
    runs = FileRunStore(home / "runs")
    runs.save(runs.new_record("prod", 1e9), {})
    runs.save(runs.new_record("old", 1e9 + 1), {})
    monkeypatch.setenv("MLAPI_HOME", str(home))
    return home


def offered(*typed: str) -> list[str]:
    """What can stand in place of the last word."""
    *before, begin = typed
    found = ShellComplete(cli, {}, "ml-api", "_ML_API_COMPLETE").get_completions(before, begin)
    return [str(one.value) for one in found]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["tim"], ["timeline"]),
        (["rep"], ["report"]),
        (["graph", "--format", ""], ["mermaid", "dot", "svg", "svg-graph"]),
        (["status", "--suffix", ""], ["prod", "test", "old"]),
        (["status", "--suffix", "te"], ["test"]),
        (["status", "--local", "--suffix", ""], ["try"]),
        (
            ["apply", "--suffix", "prod", "--target", ""],
            ["vpc", "ecs", "vpc/nat-1", "vpc/vpc", "ecs/app"],
        ),
        (["apply", "--suffix", "prod", "--exclude", "vpc/n"], ["vpc/nat-1"]),
        (["plan", "--suffix", "prod", "--target", "nat"], ["nat-1"]),
        (["plan", "--local", "--target", "a"], ["alb", "alb/alb"]),
        (["plan", "--suffix", "nobody", "--target", ""], []),
        (["outputs", "--suffix", "prod", ""], ["vpc_id"]),
        (["run", "--cpu", ""], ["256", "512", "1024", "2048", "4096", "8192", "16384"]),
        (["run", "--cpu", "256", "--memory", ""], ["512", "1024", "2048"]),
        (["deploy", "--memory", "12288"], ["12288", "122880"]),
        (["run", "--suffix", "test", "--env", "DB"], ["DB_HOST="]),
        (["show", "la"], ["last", "last~1"]),
        (["diff", "--suffix", "prod", "last", "2"], ["20010909T014640.000Z"]),
        (["show", "2"], ["20010909T014641.000Z", "20010909T014640.000Z"]),
    ],
    ids=" ".join,
)
def test_what_is_kept_here_is_offered(typed: list[str], words: list[str]) -> None:
    assert offered(*typed) == words


@pytest.mark.usefixtures("home")
def test_the_environment_says_which_stack_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT_SUFFIX", "try")
    monkeypatch.setenv("MLAPI_LOCAL", "1")

    assert offered("plan", "--target", "alb/") == ["alb/alb"]


def test_a_bucket_is_not_asked_between_two_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLAPI_STATE", "s3://team/stacks")

    assert offered("status", "--suffix", "") == ["old", "prod"]
    assert offered("plan", "--suffix", "prod", "--target", "") == []


def test_a_ledger_that_cannot_be_read_offers_nothing(home: Path) -> None:
    (home / "prod.json").write_text("{")

    assert offered("plan", "--suffix", "prod", "--target", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(user: User, shell: str) -> None:
    script = user.run("completion", shell, local=False)

    assert script.code == 0
    assert f"_ML_API_COMPLETE={shell}_complete" in script.out
    if path := shutil.which(shell):
        subprocess.run([path, "-n"], input=script.out, text=True, check=True)


def test_another_shell_is_refused(user: User) -> None:
    ran = user.run("completion", "csh", local=False)

    assert (ran.code, ran.out) == (64, "")
    assert "'bash', 'zsh', 'fish'" in ran.err


@pytest.mark.skipif(not PROGRAM.exists(), reason="ml-api is not installed")
def test_bash_completes_a_resource(home: Path) -> None:
    typed = "ml-api plan --suffix prod --target vpc/n"
    words = " ".join(f"'{word}'" for word in typed.split())
    script = f"""
eval "$({PROGRAM} completion bash)"
COMP_WORDS=({words}) COMP_CWORD=5
_ml_api_completion '{PROGRAM}'
echo "${{COMPREPLY[@]}}"
"""
    ran = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "vpc/nat-1\n"


@pytest.mark.parametrize("typed", ["status --suffix p", "plan --suffix prod --target v", "show --suffix prod 2"])
def test_nothing_slow_is_imported(home: Path, typed: str) -> None:
    environment = {"_ML_API_COMPLETE": "bash_complete", "MLAPI_HOME": str(home)}
    words = {"COMP_WORDS": f"ml-api {typed}", "COMP_CWORD": str(len(typed.split()))}

    assert imported(**environment, **words) == "[]"


@pytest.mark.skipif(not PROGRAM.exists(), reason="ml-api is not installed")
def test_nobody_waits_for_it(home: Path) -> None:
    """The processor's time, the least of a few tries: the machine may have other work."""
    typed = {"COMP_WORDS": "ml-api plan --suffix prod --target v", "COMP_CWORD": "5"}
    environment = {**os.environ, "_ML_API_COMPLETE": "bash_complete", "MLAPI_HOME": str(home), **typed}

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def tried() -> float:
        before = spent()
        ran = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=True)
        assert "plain,vpc/nat-1" in ran.stdout.splitlines()
        return spent() - before

    assert any(tried() <= SOON for _ in range(8))


def test_a_bash_that_knows_no_nosort_starts_without_a_word(tmp_path: Path) -> None:
    """Bash before 4.4, as macOS has it; played by a `complete` that refuses the option as that one does."""
    source = CliRunner().invoke(cli, ["completion", "bash"]).output
    old = """complete() {
        [[ " $* " == *" nosort "* ]] && { echo "complete: nosort: invalid option name" >&2; return 2; }
        builtin complete "$@"
    }"""

    ran = subprocess.run(
        ["bash", "--norc", "-c", f"{old}\n{source}\ncomplete -p ml-api"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert ran.stderr == ""
    assert "-F _ml_api_completion ml-api" in ran.stdout
