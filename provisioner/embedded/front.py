"""The HTTP server: threaded, HTTP/1.1, keeps connections alive and can hang up."""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

from provisioner.embedded.local import LOOPBACK
from provisioner.embedded.wire import Answer, Environ

# Where a request in absolute form (RFC 9112, 3.2.2) says whom it is for.
AUTHORITY = "embedded.authority"
_IPV6 = 6
Application = Callable[[Environ], Answer]


class HangUp(Exception):  # an order, not an error
    """Raised by the application to end the connection without an answer."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("connection reset" if reset else "connection closed")
        self.reset = reset


class Handler(BaseHTTPRequestHandler):
    """One connection: requests are read whole, answers go out in one write."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def serve(self) -> None:
        """Ask the application and send what it says."""
        try:
            answer = self.server.application(self._environ())
        except HangUp as hang_up:
            self._hang_up(hang_up)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(self._length(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = serve  # noqa: N815  # http.server

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: botocore, which announces an object for S3, waits a second for that."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def _length(self, answer: Answer) -> int:
        """Tell the length: a HEAD answer speaks of a body it does not carry."""
        if self.command == "HEAD":
            named = {name.lower(): value for name, value in answer.headers.items()}
            return int(named.get("content-length", 0))
        return len(answer.body)

    def _hang_up(self, hang_up: HangUp) -> None:
        if hang_up.reset:  # closing with unsent data and no linger makes the kernel send RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        self.connection.close()

    def _environ(self) -> Environ:
        authority, target = _split(self.path)
        path, _, query = target.partition("?")
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._body()
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": target,
            "REQUEST_URI": target,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": LOOPBACK,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        # One Host, by law (RFC 9112, 3.2); of several the first may be meant or the last.
        environ["HTTP_HOST"] = ",".join(self.headers.get_all("Host", []))
        environ |= {AUTHORITY: authority} if authority is not None else {}
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> bytes:
        chunks = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return bytes(chunks)

    def log_message(self, format: str, *args: Any) -> None:  # the name is http.server's
        """Say nothing: the box keeps its own log of calls."""


def _split(target: str) -> tuple[str | None, str]:
    """Split a request target into its authority, where it is in absolute form, and path with query."""
    if target.startswith("/") or "://" not in target:
        return None, target
    parts = urlsplit(target)
    return parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Server(ThreadingHTTPServer):
    """Listens on one address, loopback unless told otherwise; port 0 lets the kernel choose."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, application: Application, address: str = LOOPBACK) -> None:
        self.application = application
        if ip_address(address).version == _IPV6:
            self.address_family = socket.AF_INET6
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((address, port), Handler)

    @property
    def endpoint(self) -> str:
        """The URL to give to boto3."""
        address = ip_address(str(self.server_address[0]))
        if address.is_unspecified:  # every address of this machine: loopback too
            return f"http://{'[::1]' if address.version == _IPV6 else LOOPBACK}:{self.server_port}"
        return f"http://{f'[{address}]' if address.version == _IPV6 else address}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that the end of the server is the end of it too."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Take a client that has gone (killed, timed out) for what it is; the rest goes to the log."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Close the listening socket and every open connection."""
        super().server_close()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
