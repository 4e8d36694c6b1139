"""A Session Manager plugin for tests: it runs here what the real one would run in a container."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner.emulator.ecs.model import Task
from provisioner.emulator.patches.ecs_exec import when_entered

_SCRIPT = """#!{python}
import json, os, pty, shlex, sys, time
from pathlib import Path

here = Path(__file__).parent
if sys.argv[1:] == ["--version"]:
    print((here / "version").read_text())
    sys.exit()
told = json.loads(os.environ.pop(sys.argv[1]))
(here / "told").write_text(json.dumps({{"argv": sys.argv, "session": told}}))
print(f"\\nStarting session with SessionId: {{told['SessionId']}}", flush=True)
line = (here / "line").read_text()
if line == "listen":
    print("Port opened. Waiting for connections...", flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
elif line != "break":
    pty.spawn(shlex.split(line))
print(f"\\n\\nExiting session with sessionId: {{told['SessionId']}}.\\n", flush=True)
"""


@dataclass(frozen=True)
class FakePlugin:
    """A folder to be put on PATH."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> FakePlugin:
        """Write the script."""
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "session-manager-plugin"
        script.write_text(_SCRIPT.format(python=sys.executable))
        script.chmod(0o755)
        plugin = cls(folder)
        plugin.put("version", "1.2.707.0")
        return plugin

    def put(self, name: str, text: str) -> None:
        """What it reads: its `version`; the `line` it runs, or `break` or `listen`."""
        (self.folder / name).write_text(text)

    @property
    def told(self) -> str:
        """What it was started with."""
        return (self.folder / "told").read_text()

    @contextmanager
    def in_the_task(self) -> Iterator[None]:
        """Let it run what ECS is asked to run."""

        def hear(_: Task, line: str) -> None:
            self.put("line", line)

        when_entered.append(hear)
        try:
            yield
        finally:
            when_entered.remove(hear)
