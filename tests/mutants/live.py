"""A mutant in a running process: in the functions that are there already, or in the file when it is imported."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.mutants.mutation import ROOT, Mutant


def patch_functions(mutant: Mutant) -> None:
    """Give the functions of the mutated file their changed code, whoever holds them.

    A function is known by its qualified name and by how many of that name come before it (a property has two).
    """
    path = str(ROOT / mutant.path)
    changed = _code_by_name(compile(mutant.source, path, "exec"))
    original = _code_by_name(compile((ROOT / mutant.path).read_text(), path, "exec"))
    live = [each for each in gc.get_objects() if isinstance(each, FunctionType) and each.__code__.co_filename == path]
    for function in live:
        name = function.__code__.co_qualname
        first_lines = [code.co_firstlineno for code in original[name]]
        function.__code__ = changed[name][first_lines.index(function.__code__.co_firstlineno)]


def _code_by_name(module: CodeType) -> dict[str, list[CodeType]]:
    by_name: dict[str, list[CodeType]] = defaultdict(list)
    for code in _codes(module):
        by_name[code.co_qualname].append(code)
    return by_name


def _codes(outer: CodeType) -> Iterator[CodeType]:
    for constant in outer.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class ImportedMutant(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the changed source when the mutated module is imported for the first time."""

    def __init__(self, mutant: Mutant) -> None:
        self._source = mutant.source
        self._path = str(ROOT / mutant.path)
        self._module = mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return this loader for the mutated module, and nothing for any other."""
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def get_source(self, fullname: str) -> str:
        """Return the changed source."""
        return self._source if fullname == self._module else ""

    def get_code(self, fullname: str) -> CodeType:
        """Return the changed source, compiled as the file that it comes from."""
        return compile(self.get_source(fullname), self._path, "exec")

    def install(self) -> None:
        """Come before all other finders."""
        sys.meta_path.insert(0, self)
