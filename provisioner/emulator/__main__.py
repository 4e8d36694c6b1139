"""`python -m provisioner.emulator`: the box as a process of its own."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provisioner.emulator.control_client import STATE
from provisioner.emulator.local import ACCOUNTS, LOOPBACK, PLAIN, check_installed
from provisioner.errors import Blocked

if TYPE_CHECKING:
    from provisioner.emulator.emulator import Emulator
    from provisioner.emulator.http_server import Server


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m provisioner.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the kernel choose")
    parser.add_argument("--address", default=LOOPBACK, help="what to listen at")
    parser.add_argument("--host", action="append", default=[], help="a further name to be asked by")
    parser.add_argument("--speed", type=float, default=0.0, help="0 is instant, 1 is as slow as AWS")
    parser.add_argument("--behaviours", choices=["on", "off"], default="on")
    parser.add_argument("--account", choices=ACCOUNTS, default=PLAIN)
    parser.add_argument("--home", type=Path, required=True, help="where local.json goes")
    parser.add_argument("--ready-fd", type=int, default=-1, help="written to when ready")
    return parser.parse_args()


def main() -> None:
    """Start the emulator, report that it is ready, and serve until a signal ends the process."""
    options = arguments()
    try:
        check_installed()
    except Blocked as error:
        sys.stderr.write(f"Error: {error.message}\n{error.hint}\n")
        sys.exit(error.exit_code)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    from provisioner.emulator.emulator import Emulator  # noqa: PLC0415  # importing takes seconds: parse first
    from provisioner.emulator.server import serve  # noqa: PLC0415

    emulator = Emulator(speed=options.speed, with_behaviours=options.behaviours == "on", account=options.account)
    server = serve(emulator, options.port, hosts=options.host, address=options.address)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: os._exit(0))  # nothing to save, and unloading moto takes 1 s
    emulator.ready = True
    _write_record(options, server, emulator)
    _report_ready(options.ready_fd, server)
    server.serve_forever(0.05)


def _write_record(options: argparse.Namespace, server: Server, emulator: Emulator) -> None:
    """Write local.json atomically: the endpoint, token, process id and settings of this emulator."""
    home: Path = options.home
    record: dict[str, Any] = {"token": emulator.token, "hosts": options.host, "address": options.address}
    record |= {"endpoint": server.endpoint, "pid": os.getpid(), "instance": emulator.instance, "pace": emulator.speed}
    record |= {"manners": emulator.with_behaviours, "account": emulator.account}
    record |= {"started": datetime.now(UTC).isoformat(timespec="seconds")}
    home.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=home, prefix=STATE)  # mkstemp creates it with mode 0600
    with os.fdopen(handle, "w") as file:
        json.dump(record, file)
    Path(name).replace(home / STATE)


def _report_ready(ready_fd: int, server: Server) -> None:
    """Report readiness: write a byte to `ready_fd`, or print the endpoint where `ready_fd` is negative."""
    if ready_fd >= 0:
        os.write(ready_fd, b"!")
        os.close(ready_fd)
    else:
        print(server.endpoint, flush=True)  # noqa: T201  # for a user who started it by hand


if __name__ == "__main__":
    main()
