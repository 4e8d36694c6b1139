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

from provisioner.commands.exec_session import enterable_task
from provisioner.commands.session_rehearsal import rehearsal_end
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import user_error, user_errors
from provisioner.engine.execution.managed_resource import read
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.errors import Blocked, Incomplete, UsageError
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.exec_sessions import AGENT_NOT_READY, RunningTask, open_forwarding_session
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.console import Console
from provisioner.terminal.session_manager_plugin import Plugin
from state.errors import ProvisionerError

_CLUSTER, _OWN_SECRET = "aurora", "db-secret"
_USUAL_PORT, _LOOPBACK = 5432, "127.0.0.1"
_STDERR = 2
_ENDS_WITHIN = 10  # seconds
# With this file, libpq checks a certificate even if it is to require none (PostgreSQL doc, libpq SSL
# support).
_ROOT_CERTIFICATES = Path("~/.postgresql/root.crt")
# RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance".
_RDS_CERTIFICATES = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


@dataclass(frozen=True)
class Database:
    """The address of the database, and the secret that holds its login."""

    host: str
    port: int
    name: str
    user: str
    secret: str


def hold_tunnel(console: Console, session: Session, plugin: Plugin | None, port: int | None, service: str) -> int:
    """Say how to connect, then hold the port open; the password is shown to nobody.

    Raises:
        ProvisionerError: The tunnel has ended by itself, or the stack is in the local AWS, where all is done up to
            the session.

    """
    local_port = _choose_port(port)
    database = _read_database(session)
    task = enterable_task(session, service, "")
    connection = _start_forwarding(session, task, database, local_port)
    _print_connection(console, session, database, local_port)
    if plugin is None or session.aws.local:
        console.note(f"Rehearsed: The port {local_port} of this machine is free.")
        opened = f"StartSession opens the session {connection['SessionId']}"
        raise rehearsal_end(console, session, task, opened, plugin)
    argv = plugin.command(session.location.region, task.target, str(session.aws.client("ssm").meta.endpoint_url))
    try:
        exit_status = _run_plugin(argv, plugin.environment(connection))
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    raise ProvisionerError(f"The tunnel has ended by itself ({exit_status}).", "Run the same command again.")


def _run_plugin(argv: list[str], environment: Mapping[str, str]) -> int:
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


def _choose_port(port: int | None) -> int:
    """Return the port that was given, else the usual one, else any free one.

    Raises:
        UsageError: The given port is taken.

    """
    for candidate in (port,) if port else (_USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((_LOOPBACK, candidate))
                return int(probe.getsockname()[1])
    raise UsageError(f"The port {port} of this machine is taken.", "Name another one, or leave --port out.")


def _read_database(session: Session) -> Database:
    """Return the database's address and login (DescribeDBClusters)."""
    state = session.state
    apply_command = session.options.workspace.command("apply", session.suffix)
    cluster = None
    if _CLUSTER in state.resources:
        with user_errors("looking for the database"):
            cluster = read(session.clients, recorded_resource(state, _CLUSTER, RESOURCE_TYPES))
    if cluster is None:
        raise Incomplete(f"The stack {session.suffix} has no database yet.", f"`{apply_command}` makes it.")
    managed_secret = cluster.get("MasterUserSecret", {}).get("SecretArn", "")
    own_secret = state.resources[_OWN_SECRET].id if _OWN_SECRET in state.resources else ""
    return Database(
        cluster["Endpoint"],
        cluster["Port"],
        cluster["DatabaseName"],
        cluster["MasterUsername"],
        managed_secret or own_secret,
    )


def _start_forwarding(session: Session, task: RunningTask, database: Database, local_port: int) -> Mapping[str, str]:
    """Open a session that forwards the port; raise Blocked if the task's agent does not answer."""
    try:
        return open_forwarding_session(session.clients, task, database.host, database.port, local_port)
    except ClientError as error:
        if code_of(error) in AGENT_NOT_READY:
            raise Blocked(
                f"The agent of the task {task.id} does not answer.", "Wait a minute, then run this again."
            ) from error
        raise user_error(error, f"opening a tunnel through the task {task.id}") or error from error


def _print_connection(console: Console, session: Session, database: Database, local_port: int) -> None:
    """Print the psql command, and where the password lies."""
    psql_command = (
        f'psql "host={_LOOPBACK} port={local_port} dbname={database.name} user={database.user} sslmode=require"'
    )
    fetch_command = (
        f"aws secretsmanager get-secret-value --region {session.location.region} "
        f"--secret-id '{database.secret}' --query SecretString --output text"
    )
    if console.as_json:
        console.record("tunnel", host=_LOOPBACK, port=local_port, psql=psql_command, secret=database.secret)
        return
    console.data(psql_command)
    if _ROOT_CERTIFICATES.expanduser().exists():
        console.note(
            f"{_ROOT_CERTIFICATES} is there: psql checks the database's certificate by it, and refuses one of another "
            f"authority. Fetch AWS's bundle, {_RDS_CERTIFICATES}, and add sslrootcert=FILE."
        )
    console.note(f"The password lies in the secret {database.secret}:\n{fetch_command}")
