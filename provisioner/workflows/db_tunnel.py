"""`db tunnel`: a port on this machine that leads to the database, through a task, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import user_error, user_errors
from provisioner.engine.execution.managed_resource import read
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.errors import Blocked, Incomplete, UsageError
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.base import NOT_READY, forward
from provisioner.resources.ecs.service_tasks import RunningTask
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.console import Console
from provisioner.terminal.plugin import Plugin
from provisioner.workflows.exec_session import LOCAL_ONLY, enterable_task
from state.errors import ProvisionerError

_CLUSTER, _SECRET = "aurora", "Secret"
_USUAL, _LOOPBACK = 5432, "127.0.0.1"
_STDERR = 2
_ENDS_WITHIN = 10  # seconds
# With this file, libpq checks a certificate even if it is to require none (PostgreSQL doc, libpq SSL
# support).
_ROOT = Path("~/.postgresql/root.crt")
# RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance".
_BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


@dataclass(frozen=True)
class Database:
    """The address of the database, and the secret that holds its login."""

    host: str
    port: int
    name: str
    user: str
    secret: str


def tunnel(console: Console, session: Session, port: int | None, service: str) -> int:
    """Say how to connect, then hold the port open; the password is shown to nobody."""
    plugin = Plugin.found()
    here = _free(port)
    database = _database(session)
    chosen = enterable_task(session, service, "")
    opened = _opened(session, chosen, database, here)
    _tell(console, session, database, here)
    argv = plugin.command(session.location.region, chosen.target, str(session.aws.client("ssm").meta.endpoint_url))
    try:
        ended = _held(argv, plugin.environment(opened))
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    if session.aws.local:
        raise ProvisionerError("The session ended: the embedded AWS runs no task to go through.", LOCAL_ONLY)
    raise ProvisionerError(f"The tunnel has ended by itself ({ended}).", "Run the same command again.")


def _held(argv: list[str], environment: Mapping[str, str]) -> int:
    """Run the plugin to its end, with its output on stderr, and return its exit code.

    If a signal ends this command, the plugin is ended too.
    """
    with subprocess.Popen(argv, env=dict(environment), stdout=_STDERR) as process:  # noqa: S603 - by name
        try:
            return process.wait()
        except KeyboardInterrupt:
            # On a terminal Ctrl-C reaches it too, which does no harm: it closes the session.
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
            process.terminate()
            raise


def _free(port: int | None) -> int:
    """Return the port that was given, else the usual one, else any free one.

    Raises:
        UsageError: The given port is taken.

    """
    for one in (port,) if port else (_USUAL, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((_LOOPBACK, one))
                return int(probe.getsockname()[1])
    raise UsageError(f"The port {port} of this machine is taken.", "Name another one, or leave --port out.")


def _database(session: Session) -> Database:
    """Return the database's address and login; its resource type makes the call, DescribeDBClusters."""
    state = session.state
    again = session.options.workspace.command("apply", session.suffix)
    doc = None
    if _CLUSTER in state.resources:
        with user_errors("looking for the database"):
            doc = read(session.clients, recorded_resource(state, _CLUSTER, RESOURCE_TYPES))
    if doc is None:
        raise Incomplete(f"The stack {session.suffix} has no database yet.", f"`{again}` makes it.")
    managed = doc.get("MasterUserSecret", {}).get("SecretArn", "")
    own = next(
        (resource_state.id for resource_state in state.resources.values() if resource_state.type_name == _SECRET), ""
    )
    return Database(doc["Endpoint"], doc["Port"], doc["DatabaseName"], doc["MasterUsername"], managed or own)


def _opened(session: Session, chosen: RunningTask, database: Database, here: int) -> Mapping[str, str]:
    """Open a session that forwards the port; raise Blocked if the task's agent does not answer."""
    try:
        return forward(session.clients, chosen, database.host, database.port, here)
    except ClientError as error:
        if code_of(error) in NOT_READY:
            raise Blocked(
                f"The agent of the task {chosen.id} does not answer.", "Wait a minute, then run this again."
            ) from error
        raise user_error(error, f"opening a tunnel through the task {chosen.id}") or error from error


def _tell(console: Console, session: Session, database: Database, here: int) -> None:
    """Print the psql command, and where the password lies."""
    line = f'psql "host={_LOOPBACK} port={here} dbname={database.name} user={database.user} sslmode=require"'
    fetch = (
        f"aws secretsmanager get-secret-value --region {session.location.region} "
        f"--secret-id '{database.secret}' --query SecretString --output text"
    )
    if console.as_json:
        console.record("tunnel", host=_LOOPBACK, port=here, psql=line, secret=database.secret)
        return
    console.data(line)
    if _ROOT.expanduser().exists():
        console.note(
            f"{_ROOT} is there: psql checks the database's certificate by it, and refuses one of another "
            f"authority. Fetch AWS's bundle, {_BUNDLE}, and add sslrootcert=FILE."
        )
    console.note(f"The password lies in the secret {database.secret}:\n{fetch}")
