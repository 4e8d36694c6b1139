"""The box being served: over HTTP, behind its door; in a thread of this process, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

from provisioner.embedded.box import Box
from provisioner.embedded.clock import clock
from provisioner.embedded.control import Control
from provisioner.embedded.door import Door
from provisioner.embedded.front import Server
from provisioner.embedded.local import LOOPBACK, PLAIN


def serve(box: Box, port: int, *, hosts: Iterable[str] = (), address: str = LOOPBACK) -> Server:
    """Bind; only loopback's names, the address that is bound and `hosts` are let in."""
    bound = () if ip_address(address).is_unspecified else (address,)
    return Server(port, Door(Control(box), (*hosts, *bound)), address)


class EmbeddedAws:
    """AWS on loopback for as long as the `with` block lasts; one at a time in a process."""

    def __init__(
        self, *, pace: float = 0.0, manners: bool = True, port: int = 0, account: str = PLAIN
    ) -> None:
        self.box = Box(pace=pace, with_manners=manners, account=account)
        self.server = serve(self.box, port)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """The URL to give to boto3."""
        return self.server.endpoint

    def __enter__(self) -> Self:
        self.box.reset()
        self._thread.start()
        self.box.ready = True
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Forget everything but pace and manners."""
        self.box.reset()

    def behave(self, *, manners: bool, pace: float, account: str = PLAIN) -> None:
        """Change the settings of a running box."""
        self.box.behave(pace=pace, with_manners=manners, account=account)

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Every AWS call answered after the one numbered `since`."""
        return self.box.calls.since(since)

    def authorise(self, *policies: Mapping[str, Any]) -> None:
        """Let callers do what these policies allow, and no more; none lifts that."""
        self.box.authorise(policies)

    def faults(self, *orders: dict[str, Any]) -> None:
        """Put these faults in force in place of those there are; see `faults.Fault`."""
        self.box.faults.order(orders)

    def advance(self, seconds: float) -> None:
        """Move the clock of lifecycles forward."""
        clock.advance(seconds)
