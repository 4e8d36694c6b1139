"""Imports run downward only, and each part knows only what it may."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import botocore.session
import pytest

import cli

ROOT = Path(cli.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("cli.py", "state", "provisioner")
    for path in ([ROOT / top] if top.endswith(".py") else sorted((ROOT / top).rglob("*.py")))
}


def part_of(module: str) -> str:
    """The part of the tool that a module belongs to."""
    if module == "state.errors":  # the base of the tree of errors: below the state and the provisioner
        return module
    pieces = module.split(".")
    return ".".join(pieces[:2]) if pieces[0] == "provisioner" else pieces[0]


def imports(path: Path) -> Iterator[str]:
    """The modules of this project that a file imports, wherever in it."""
    for node in _walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in full]
        yield from (name for name in names if name.split(".")[0] in ("provisioner", "state", "cli"))


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a tree but what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _walk(node)


def test_imports_run_downward_only() -> None:
    """The contracts are in pyproject.toml; import-linter reads them."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "3 kept, 0 broken" in ran.stdout


# What a distribution of the emulator alone would take along; none of it imports anything else of the product.
EMULATOR_NEEDS = {"state.errors", *(f"provisioner.{name}" for name in ("iam", "pagination", "errors", "extras"))}


def test_the_emulator_imports_nothing_of_the_product() -> None:
    emulator = [path for module, path in MODULES.items() if part_of(module) == "provisioner.emulator"]
    needed = [path for module, path in MODULES.items() if part_of(module) in EMULATOR_NEEDS]

    assert {part_of(name) for path in emulator for name in imports(path)} == {"provisioner.emulator", *EMULATOR_NEEDS}
    assert {part_of(name) for path in needed for name in imports(path)} <= EMULATOR_NEEDS


def test_the_product_reaches_the_emulator_through_one_module() -> None:
    product = [path for module, path in MODULES.items() if part_of(module) != "provisioner.emulator"]
    used = {name for path in product for name in imports(path) if part_of(name) == "provisioner.emulator"}

    assert used == {"provisioner.emulator.local"}


def test_iam_is_used_by_policies_doctor_emulator_and_endpoints() -> None:
    users = {part_of(module) for module, path in MODULES.items() if "provisioner.iam" in map(part_of, imports(path))}

    assert users == {"provisioner.permissions", "provisioner.doctor", "provisioner.emulator", "provisioner.aws"}


def private_parts(tree: ast.AST) -> Iterator[str]:
    """The private names that a module uses of objects other than its own: as attributes, imports or strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "self":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("moto"):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr", "delattr"):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def test_the_list_of_patches_names_each_patch_each_private_part_and_nothing_else() -> None:
    emulator = ROOT / "provisioner" / "emulator"
    text = (ROOT / "docs" / "reference" / "moto-patches.md").read_text()
    listed = set(re.findall(r"`([\w.]+)`", text))
    trees = [ast.parse(path.read_text()) for path in emulator.rglob("*.py")]
    private = {name for tree in trees for name in private_parts(tree) if re.match("_[a-z]", name)} - {"_exit"}
    members = {name.rpartition(".")[2] for name in listed if not name.endswith(".py")}

    assert {path.name for path in (emulator / "patches").glob("*.py") if path.stem != "__init__"} <= listed
    assert {name for name in listed if name.endswith(".py")} <= {path.name for path in emulator.rglob("*.py")}
    assert {name for name in members if re.match("_[a-z]", name)} == private
    assert f"What moto {version('moto')} does otherwise" in text


def test_no_document_holds_a_merge_that_nobody_resolved() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.*")]

    assert len(documents) > 5
    assert [str(one) for one in documents if re.search(r"^[<>]{7} ", one.read_text(), re.MULTILINE)] == []


# The files of ARCHITECTURE.md's worked example (`examples/add-a-resource-type/`).
EXAMPLE = {"resources/sqs.py", "iam/actions/sqs.json", "steps/queues.py", "tests/resources/test_sqs.py"}


def test_each_path_that_the_architecture_names_exists() -> None:
    paths = set(re.findall(r"`([\w./]+/[\w.]*)`", (ROOT / "ARCHITECTURE.md").read_text()))

    assert len(paths) > 100
    assert {path for path in paths if not any((ROOT / top / path).exists() for top in ("", "provisioner"))} == EXAMPLE


def test_no_two_modules_import_each_other() -> None:
    edges = {module: set(imports(path)) - {module} for module, path in MODULES.items()}
    left = dict(edges)
    while True:
        free = {module for module, needs in left.items() if not needs & left.keys()}
        if not free:
            break
        left = {module: needs for module, needs in left.items() if module not in free}

    assert left == {}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("provisioner.resources")])
def test_a_resource_type_knows_nothing_of_the_state(module: str) -> None:
    assert [name for name in imports(MODULES[module]) if part_of(name) == "state"] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("state")])
def test_the_state_imports_nothing_of_the_provisioner(module: str) -> None:
    assert [name for name in imports(MODULES[module]) if not name.startswith("state")] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("state")])
def test_the_state_knows_nothing_of_aws(module: str) -> None:
    assert not re.search(r"^\s*(from|import) (boto3|botocore|moto)", MODULES[module].read_text(), re.MULTILINE)


def service_names() -> set[str]:
    """What boto3 calls the services of the stack, and the words one would give them."""
    of_stack = {"ec2", "ecs", "elbv2", "rds", "dynamodb", "logs", "cloudfront", "iam", "secretsmanager", "s3"}
    known = set(botocore.session.Session().get_available_services())
    return {name for name in known if name in of_stack or "-" in name}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("provisioner.engine")])
def test_the_engine_names_no_service(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert (texts | names) & service_names() == set()


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) == "provisioner.steps"])
def test_a_step_makes_no_call(module: str) -> None:
    assert "client(" not in MODULES[module].read_text()
    assert "boto" not in MODULES[module].read_text()


@pytest.mark.parametrize("module", MODULES)
def test_no_file_outgrows_a_reader(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= 300


def test_no_test_imports_a_private_name() -> None:
    imported = [
        f"{path.relative_to(ROOT)}: {alias.name}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("provisioner", "state")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]

    assert imported == []
