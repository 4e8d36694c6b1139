"""The HTTP/1.1 server: threaded, with keep-alive, and able to drop a connection without an answer."""

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

from provisioner.emulator.local import LOOPBACK
from provisioner.emulator.wire import Environ, Response

# The key in the environ for the host of a request target in absolute form (RFC 9112, 3.2.2).
AUTHORITY = "embedded.authority"
_IPV6 = 6
Application = Callable[[Environ], Response]


class ConnectionDropped(Exception):  # control flow, not an error
    """Raised by the application to close the connection without an answer, with a TCP reset if `reset`."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("connection reset" if reset else "connection closed")
        self.reset = reset


class Handler(BaseHTTPRequestHandler):
    """The handler of one connection: reads each request whole and sends each response in one write."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def serve(self) -> None:
        """Pass the request to the application and send its response."""
        try:
            answer = self.server.application(self._environ())
        except ConnectionDropped as hang_up:
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
        """Send "100 Continue" at once: botocore waits a second for it before it sends an S3 object."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def _length(self, answer: Response) -> int:
        """Return the Content-Length; for HEAD, the length that the application states for the absent body."""
        if self.command == "HEAD":
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return int(headers.get("content-length", 0))
        return len(answer.body)

    def _hang_up(self, hang_up: ConnectionDropped) -> None:
        """Close the connection without a response, by a TCP reset if the exception asks for it."""
        if hang_up.reset:  # SO_LINGER with timeout 0 makes the kernel send RST on close
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        self.connection.close()

    def _environ(self) -> Environ:
        """Return the WSGI environment of the request, with its body read."""
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
        # RFC 9112, 3.2 allows one Host header. Of several, any may count, so the filter gets to see all.
        environ["HTTP_HOST"] = ",".join(self.headers.get_all("Host", []))
        environ |= {AUTHORITY: authority} if authority is not None else {}
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _body(self) -> bytes:
        """Read a body of the length that Content-Length states."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> bytes:
        """Read a body in chunked transfer encoding, and skip its trailers."""
        chunks = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return bytes(chunks)

    def log_message(self, format: str, *args: Any) -> None:  # the name is http.server's
        """Print nothing: the emulator keeps its own log of calls."""


def _split(target: str) -> tuple[str | None, str]:
    """Split a request target into its authority (None unless in absolute form) and its path with query."""
    if target.startswith("/") or "://" not in target:
        return None, target
    parts = urlsplit(target)
    return parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class Server(ThreadingHTTPServer):
    """The server at one address, loopback by default; port 0 lets the kernel choose a port."""

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
        """The endpoint URL for boto3."""
        address = ip_address(str(self.server_address[0]))
        if address.is_unspecified:  # it listens at every address, loopback included
            return f"http://{'[::1]' if address.version == _IPV6 else LOOPBACK}:{self.server_port}"
        return f"http://{f'[{address}]' if address.version == _IPV6 else address}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the open connection, so that `server_close` can close it, and handle it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the errors of a client that has gone (killed, timed out); log every other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Close the listening socket and every open connection."""
        super().server_close()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
