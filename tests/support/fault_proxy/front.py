"""An HTTP server before the emulator, also over TLS and as a proxy: all passes, but for what was ordered."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Self

from tests.support.fault_proxy.message import Answer
from tests.support.fault_proxy.trust import Trust

LOOPBACK = "127.0.0.1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTING", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass(frozen=True)
class SeenRequest:
    """One request; service, operation and protocol are "" where it is no call of AWS."""

    method: str
    host: str
    path: str
    service: str = ""
    operation: str = ""
    protocol: str = ""


Ask = Callable[[], Answer]
Play = Callable[[SeenRequest, Ask], Answer]


@dataclass
class ScriptedReply:
    """A play for the `nth` request that matches, and for `times` in a row; what is "" matches all."""

    play: Play
    service: str = ""
    operation: str = ""
    host: str = ""
    path: str = ""
    method: str = ""
    nth: int = 1
    times: int = 1
    seen: int = field(default=0, init=False)

    @property
    def struck(self) -> int:
        """How often it was played."""
        return max(0, min(self.seen - self.nth + 1, self.times))

    def strikes(self, one: SeenRequest) -> bool:
        """Count a request, and say whether it is one of those meant."""
        asked = (self.service, self.operation, self.host, self.path, self.method)
        there = (one.service, one.operation, one.host, one.path, one.method)
        # Who asks a proxy for a tunnel is meant only where that is said.
        meant = (one.method != "CONNECT" or self.method == "CONNECT") and all(
            want == have or (at in (2, 3) and want in have)
            for at, (want, have) in enumerate(zip(asked, there, strict=True))
            if want
        )
        self.seen += meant
        return meant and self.nth <= self.seen < self.nth + self.times


class FaultProxy:
    """Listens on loopback before `upstream`, the emulator's URL.

    It is an endpoint (`as_endpoint`) and an HTTP proxy (`as_proxy`) at once: a tunnel is opened with a
    certificate of `trust`, so that calls to AWS's own hosts come here and go to the emulator. With `tls` the
    endpoint itself speaks TLS. Both give the environment of a process.
    """

    def __init__(self, upstream: str, trust: Trust | None = None, *, tls: bool = False) -> None:
        self.upstream = upstream
        self.trust = trust
        self.tls = tls
        self.ended = threading.Event()
        self.seen: list[SeenRequest] = []
        # Whether certificates are shown that have run out.
        self.shows_expired = False
        self._orders: list[ScriptedReply] = []
        self._handshakes_to_cut = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._timers: list[threading.Timer] = []
        self.port = 0

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.ended.set()
        for timer in self._timers:
            timer.cancel()
        self.leave()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http{'s' if self.tls else ''}://{LOOPBACK}:{self.port}"

    @property
    def as_endpoint(self) -> dict[str, str]:
        """The environment of a process that takes it for AWS."""
        trusted = {"AWS_CA_BUNDLE": str(self.trust.bundle)} if self.tls and self.trust else {}
        return {**KEYS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url, **trusted}

    @property
    def as_proxy(self) -> dict[str, str]:
        """The environment of a process that reaches AWS, and all else, through it."""
        trusted = {"AWS_CA_BUNDLE": str(self.trust.bundle)} if self.trust else {}
        ways = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), f"http://{LOOPBACK}:{self.port}")
        return {**KEYS, "AWS_DEFAULT_REGION": "us-east-1", **ways, **trusted}

    def order(
        self,
        play: Play,
        *,
        service: str = "",
        operation: str = "",
        host: str = "",
        path: str = "",
        method: str = "",
        nth: int = 1,
        times: int = 1,
    ) -> ScriptedReply:
        """Play this at the `nth` request from now that matches, `times` in a row; see `plays`.

        `service` and `operation` are botocore's names; `host` and `path` match where they are contained.
        """
        made = ScriptedReply(play, service, operation, host, path, method, nth, times)
        with self._lock:
            self._orders.append(made)
        return made

    def cut_handshakes(self, times: int = 1) -> None:
        """End the next TLS connections after the client's first words."""
        with self._lock:
            self._handshakes_to_cut += times

    def operations(self, service: str = "") -> list[str]:
        """The calls of AWS that came, as `service:Operation`."""
        named = [one for one in self.seen if one.operation]
        return [f"{one.service}:{one.operation}" for one in named if service in ("", one.service)]

    def leave(self, seconds: float | None = None) -> None:
        """Close the port and what is open; come back after so many seconds, or when told to."""
        with self._lock:
            listener, self._listener = self._listener, None
            there, self._open = self._open, set()
        if listener:
            # Wakes the thread that accepts: closing alone does not.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for one in there:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        if seconds is not None:
            timer = threading.Timer(seconds, self.come_back)
            timer.daemon = True
            self._timers.append(timer)
            timer.start()

    def come_back(self) -> None:
        """Listen, at the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def that_strike(self, one: SeenRequest) -> ScriptedReply | None:
        """Note a request; the order that means it, the first of several. All of them count it."""
        with self._lock:
            self.seen.append(one)
            struck = [order for order in self._orders if order.strikes(one)]
        return struck[0] if struck else None

    def secured(self, connection: socket.socket, host: str) -> ssl.SSLSocket | None:
        """The connection, encrypted by a certificate for that host; None where the handshake is cut."""
        assert self.trust, "a tunnel or TLS wants a Trust"
        with self._lock:
            is_cut = self._handshakes_to_cut > 0
            self._handshakes_to_cut -= is_cut
        if is_cut:
            connection.recv(65536)
            return None
        context = self.trust.context(host, expired=self.shows_expired)
        secure = context.wrap_socket(connection, server_side=True)
        with self._lock:
            self._open.add(secure)
        return secure

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        from tests.support.fault_proxy.serving import serve

        try:
            # A client that is gone, or trusts nobody, is no matter of ours.
            with contextlib.suppress(OSError, ValueError, HTTPException):
                serve(self, connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                connection.close()


def end(connection: socket.socket, *, by_reset: bool) -> None:
    """End a connection: with FIN, or so that closing it sends RST, for want of time to linger."""
    if by_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        connection.shutdown(socket.SHUT_RDWR)
