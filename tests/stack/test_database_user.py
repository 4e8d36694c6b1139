"""The documented SQL for an application's user, and psql's certificates, on a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fault_proxy.trust import Trust
from tests.support.user import ROOT

pytestmark = pytest.mark.slow
_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
_BIN = _FOUND[-1] if _FOUND else Path(shutil.which("initdb") or "/nowhere").parent


def documented() -> str:
    """The statements of docs/how-to/database-user.md."""
    found = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "how-to" / "database-user.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@dataclass
class Server:
    """A PostgreSQL of its own, as RDS sets one up: a master user that is no superuser, and `rds_iam`."""

    folder: Path
    port: int
    trust: Trust

    def start(self) -> None:
        data = self.folder / "data"
        self._as_its_own("initdb", "-D", str(data), "-U", "rdsadmin", "-A", "trust")
        self.trust.context("127.0.0.1")
        for name in ("server.crt", "server.key"):
            shutil.copy(self.folder / "authority" / "0.pem", data / name)
            (data / name).chmod(0o600)
            self._give(data / name)
        options = f"-p {self.port} -k {self.folder} -c ssl=on -c listen_addresses=127.0.0.1"
        log = str(self.folder / "log")
        self._as_its_own("pg_ctl", "-D", str(data), "-l", log, "-o", options, "-w", "start")
        self.sql(
            "CREATE ROLE rds_iam; CREATE ROLE mlapi_admin LOGIN CREATEROLE;"
            "GRANT rds_iam TO mlapi_admin WITH ADMIN OPTION",
            user="rdsadmin",
            database="postgres",
        )
        self.sql("CREATE DATABASE mlapi OWNER mlapi_admin", user="rdsadmin", database="postgres")

    def stop(self) -> None:
        self._as_its_own("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def sql(self, text: str, user: str = "mlapi_admin", database: str = "mlapi") -> str:
        """What psql prints; it must go well."""
        ran = self.psql(f"host=127.0.0.1 port={self.port} dbname={database} user={user}", text)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def psql(self, connection: str, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(_BIN / "psql"), "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", connection]
        known = {**os.environ, **environment}
        return subprocess.run(command, input=text, env=known, capture_output=True, text=True, check=False, timeout=60)

    def _as_its_own(self, program: str, *arguments: str) -> None:
        """PostgreSQL does not run as root."""
        whose = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*whose, str(_BIN / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            cwd="/",
        )

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server in a folder of its own: pytest closes the one above its own to all users but its own."""
    if not (_BIN / "initdb").exists():
        pytest.skip("there is no PostgreSQL on this machine (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="ml-api-postgresql-") as name:
        folder = Path(name)
        made = Server(folder, _free_port(), Trust(folder / "authority", "The database's authority"))
        made._give(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_documented_user_reads_writes_and_makes_what_an_application_needs(server: Server) -> None:
    server.sql("CREATE TABLE before (id serial PRIMARY KEY, word text); INSERT INTO before (word) VALUES ('a')")

    server.sql(documented())

    server.sql("CREATE TABLE after (id serial PRIMARY KEY, word text)")
    for table in ("before", "after"):
        server.sql(f"INSERT INTO {table} (word) VALUES ('b'); UPDATE {table} SET word = 'c'", user="mlapi_app")
        assert server.sql(f"SELECT count(*) > 0 FROM {table}", user="mlapi_app") == "t\n"
        server.sql(f"DELETE FROM {table}", user="mlapi_app")
    server.sql("CREATE TABLE own (id int); INSERT INTO own VALUES (1)", user="mlapi_app")
    member = "SELECT pg_has_role('mlapi_app', 'rds_iam', 'member')"
    assert server.sql(member) == "t\n"


def test_a_root_certificate_of_another_authority_refuses_and_the_named_one_helps(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / ".postgresql").mkdir()
    other = Trust(tmp_path / "other", "Another authority")
    shutil.copy(other.bundle, tmp_path / ".postgresql" / "root.crt")
    line = f"host=127.0.0.1 port={server.port} dbname=mlapi user=mlapi_admin sslmode=require"

    refused = server.psql(line, "SELECT 1", PGSSLROOTCERT=str(tmp_path / ".postgresql" / "root.crt"))
    taken = server.psql(f"{line} sslrootcert={server.trust.bundle}", "SELECT 1")

    assert "certificate verify failed" in refused.stderr
    assert (taken.returncode, taken.stdout) == (0, "1\n")
