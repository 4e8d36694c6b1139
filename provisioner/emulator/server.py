"""The emulator behind its HTTP server, and `LocalAws`, which runs it in a thread for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

from provisioner.emulator.clock import clock
from provisioner.emulator.control import ControlPort
from provisioner.emulator.emulator import Emulator
from provisioner.emulator.http_server import Server
from provisioner.emulator.local import LOOPBACK, PLAIN
from provisioner.emulator.origin_filter import OriginFilter


def serve(emulator: Emulator, port: int, *, hosts: Iterable[str] = (), address: str = LOOPBACK) -> Server:
    """Bind a server for the emulator; it accepts the names of loopback, the bound address and `hosts`."""
    bound = () if ip_address(address).is_unspecified else (address,)
    return Server(port, OriginFilter(ControlPort(emulator), (*hosts, *bound)), address)


class LocalAws:
    """Local AWS on loopback for the duration of a `with` block; only one at a time in a process."""

    def __init__(self, *, speed: float = 0.0, behaviours: bool = True, port: int = 0, account: str = PLAIN) -> None:
        self.emulator = Emulator(speed=speed, with_behaviours=behaviours, account=account)
        self.server = serve(self.emulator, port)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """The endpoint URL for boto3."""
        return self.server.endpoint

    def __enter__(self) -> Self:
        self.emulator.reset()
        self._thread.start()
        self.emulator.ready = True
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Delete all resources, logged calls and faults; speed, behaviours and account stay."""
        self.emulator.reset()

    def behave(self, *, behaviours: bool, speed: float, account: str = PLAIN) -> None:
        """Change the speed, behaviours and account of the running emulator."""
        self.emulator.behave(speed=speed, with_behaviours=behaviours, account=account)

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return every AWS call that was answered after the call with number `since`."""
        return self.emulator.calls.since(since)

    def authorise(self, *policies: Mapping[str, Any]) -> None:
        """Allow callers only what these policies allow; without policies, allow everything."""
        self.emulator.authorise(policies)

    def faults(self, *orders: dict[str, Any]) -> None:
        """Replace the faults in force by these; each has the fields of `faults.Fault`."""
        self.emulator.faults.replace(orders)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward by `seconds`."""
        clock.advance(seconds)
