"""Serve one connection of the front: requests as they come, tunnels into which TLS is spoken."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import threading
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote, urlsplit

from provisioner.emulator.wire import Environ, parse_call
from tests.support.fault_proxy.front import LOOPBACK, FaultProxy, SeenRequest, end
from tests.support.fault_proxy.message import Answer, HangUp, Sender

# Hosts of AWS's API; what balancers and distributions serve keeps the name that it was asked by.
_API = re.compile(r"(?<!\.elb)\.(amazonaws\.com(\.cn)?|api\.aws)$")
_BUCKET = re.compile(r"^(?P<bucket>.+?)\.s3[.-]")
_HOP = ("connection", "proxy-connection", "proxy-authorization", "keep-alive", "transfer-encoding", "expect")


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    host: str
    target: str
    headers: Message
    body: bytes

    @property
    def environ(self) -> Environ:
        """What says which call of AWS it is."""
        path, _, query = self.target.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.target,
            "REQUEST_URI": self.target,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return {**environ, "CONTENT_LENGTH": str(len(self.body))}


def serve(front: FaultProxy, connection: socket.socket) -> None:
    """Answer what comes over a connection until it ends."""
    _until_end(front, front.secured(connection, LOOPBACK) if front.tls else connection, "")


def _until_end(front: FaultProxy, connection: socket.socket | None, tunnel: str) -> None:
    """`tunnel` is the host that a client asked to be led to."""
    if connection is None:
        return
    with connection, connection.makefile("rb") as stream:
        while request := _read(stream, connection, tunnel):
            if request.method == "CONNECT":
                if _allowed(front, connection, request):
                    host = request.target.rpartition(":")[0]
                    _until_end(front, _tunnelled(front, connection, host), host)
                return
            try:
                answer = _answer(front, request)
            except HangUp as order:
                end(connection, by_reset=order.reset)
                return
            sender = Sender(connection.sendall, front.ended)
            if not sender.send(answer, carries_body=request.method != "HEAD"):
                end(connection, by_reset=False)
                return


def _read(stream: io.BufferedReader, connection: socket.socket, tunnel: str) -> Request | None:
    line = stream.readline(65536)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(None, 2)
    headers = http.client.parse_headers(stream)
    if "100-continue" in headers.get("Expect", ""):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _chunks(stream) if "chunked" in headers.get("Transfer-Encoding", "") else b""
    body = body or stream.read(int(headers.get("Content-Length", 0)))
    if method != "CONNECT" and "://" in target:
        url = urlsplit(target)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    host = tunnel or headers.get("Host", "").partition(":")[0]
    return Request(method, host.lower(), target, headers, body)


def _chunks(stream: io.BufferedReader) -> bytes:
    chunks = bytearray()
    while size := int(stream.readline().split(b";")[0], 16):
        chunks += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        continue
    return bytes(chunks)


def _allowed(front: FaultProxy, connection: socket.socket, request: Request) -> bool:
    """Whether a tunnel is opened; an order may say no."""
    host = request.target.rpartition(":")[0]
    seen = SeenRequest("CONNECT", host, "")
    try:
        meant = front.that_strike(seen)
        answer = meant.play(seen, Answer) if meant else Answer()
    except HangUp as order:
        end(connection, by_reset=order.reset)
        return False
    if answer.status == http.client.OK:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True
    Sender(connection.sendall, front.ended).send(answer, carries_body=True)
    return False


def _tunnelled(front: FaultProxy, connection: socket.socket, host: str) -> socket.socket | None:
    try:
        return front.secured(connection, host)
    except ssl.SSLError:  # the client does not trust who signed
        return None


def _answer(front: FaultProxy, request: Request) -> Answer:
    call = parse_call(request.environ)
    seen = SeenRequest(
        request.method, request.host, request.target, call.service if call.operation else "",
        call.operation, call.protocol,
    )  # fmt: skip
    order = front.that_strike(seen)
    asked = _Once(front.upstream, request)
    return order.play(seen, asked) if order else asked()


class _Once:
    """Asks the emulator, once however often it is called."""

    def __init__(self, upstream: str, request: Request) -> None:
        self._upstream, self._request = upstream, request
        self._told: Answer | None = None
        self._asking = threading.Lock()

    def __call__(self) -> Answer:
        with self._asking:
            self._told = self._told or _passed_on(self._upstream, self._request)
            return self._told


def _passed_on(upstream: str, request: Request) -> Answer:
    meant = urlsplit(upstream)
    assert meant.hostname
    host, target = request.host, request.target
    if bucket := _BUCKET.match(host) if _API.search(host) else None:
        target = f"/{bucket['bucket']}{target}"
    # AWS's own hosts are the emulator's; loopback is too.
    is_its = bool(_API.search(host)) or host in ("", LOOPBACK, "localhost")
    kept = {name: value for name, value in request.headers.items() if name.lower() not in (*_HOP, "host")}
    kept |= {"Host": meant.netloc if is_its else host, "Content-Length": str(len(request.body))}
    connection = http.client.HTTPConnection(meant.hostname, meant.port, timeout=60)
    try:
        connection.request(request.method, target, request.body, kept)
        told = connection.getresponse()
        headers = tuple(one for one in told.getheaders() if one[0].lower() not in _HOP)
        return Answer(told.status, headers, told.read())
    finally:
        connection.close()
