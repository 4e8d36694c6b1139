"""What can happen to a request: somebody else answers, the emulator's answer is spoilt, or none comes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from xml.sax.saxutils import escape

from tests.support.fault_proxy.front import Ask, FaultProxy, Play, SeenRequest
from tests.support.fault_proxy.message import Answer, HangUp

_HTML = (("Content-Type", "text/html"),)
PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"


def instead(answer: Answer) -> Play:
    """Answer so; the emulator is not asked."""
    return lambda _seen, _ask: answer


def changed(change: Callable[[Answer], Answer]) -> Play:
    """Ask the emulator, then spoil what it says."""
    return lambda _seen, ask: change(ask())


def after(play: Play) -> Play:
    """Let the call take effect first: its own answer is what gets lost."""

    def played(seen: SeenRequest, ask: Ask) -> Answer:
        told = ask()
        return play(seen, lambda: told)

    return played


# What AWS says.


def refusal(code: str, status: int = 400, message: str = "words", **headers: str) -> Play:
    """Refuse as AWS does, in the protocol of the call; an underscore of a header's name is a hyphen."""

    def played(seen: SeenRequest, _ask: Ask) -> Answer:
        answer = _refused(seen, code, status, message)
        return answer.with_headers({name.replace("_", "-"): value for name, value in headers.items()})

    return played


def bare_429(retry_after_ms: int | None = None) -> Play:
    """Answer 429 with an empty body, as a front of AWS does before any service is reached."""
    told = () if retry_after_ms is None else (("x-amz-retry-after", str(retry_after_ms)),)
    return instead(Answer(429, told))


def request_timeout() -> Play:
    """Answer as S3 does where a body did not come in time (S3 API, error responses: RequestTimeout, 400)."""
    words = "Your socket connection to the server was not read from or written to within the timeout period."
    return refusal("RequestTimeout", 400, words)


def _refused(seen: SeenRequest, code: str, status: int, message: str) -> Answer:
    if seen.protocol in ("json", "rest-json", "smithy-rpc-v2-cbor"):
        body = json.dumps({"__type": code, "message": message})
        return Answer(status, (("Content-Type", "application/x-amz-json-1.1"),), body.encode())
    said = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if seen.protocol == "ec2":
        said = f"<Response><Errors><Error>{said}</Error></Errors><RequestID>r-1</RequestID></Response>"
    elif seen.service == "s3":
        said = f"<Error>{said}<RequestId>r-1</RequestId></Error>"
    else:
        said = f"<ErrorResponse><Error>{said}</Error><RequestId>r-1</RequestId></ErrorResponse>"
    return Answer(status, (("Content-Type", "text/xml"),), said.encode())


# What stands between, and says something of its own.


def page(status: int = 200) -> Play:
    """Answer with a page of HTML, as a captive portal does."""
    return instead(Answer(status, _HTML, PAGE))


def empty(status: int = 200) -> Play:
    """Answer with nothing."""
    return instead(Answer(status))


def no_content_told() -> Play:
    """Answer 200 with `{}`."""
    return instead(Answer(200, (("Content-Type", "application/json"),), b"{}"))


def redirect(to: str = "http://portal.example/login", status: int = 302) -> Play:
    """Lead elsewhere."""
    return instead(Answer(status, (("Location", to), *_HTML), PAGE))


def wants_proxy_credentials() -> Play:
    """Answer 407, as a proxy does to whom it does not know."""
    asks = ("Proxy-Authenticate", 'Basic realm="proxy"')
    return instead(Answer(407, (asks, *_HTML), b"<html><body>Proxy authentication required</body></html>"))


def bad_gateway(status: int = 502) -> Play:
    """Answer as a proxy does that did not reach the other side."""
    return instead(Answer(status, _HTML, b"<html><body>Bad gateway</body></html>"))


# What breaks on the way.


def garbled(body: bytes = b"\x00\xff<{not an answer") -> Play:
    """Let bytes come that are no answer of any protocol."""
    return changed(lambda told: replace(told, body=body))


def no_http() -> Play:
    """Let bytes come that are not even HTTP."""
    return instead(Answer(raw=b"\x15\x03\x01\x00\x02\x02\x28 not http\r\n\r\n"))


def cut(share: float = 0.5) -> Play:
    """Let the connection end amid the body, which was announced whole."""
    return changed(lambda told: replace(told, sent=len(told.head(carries_body=True)) + int(len(told.body) * share)))


def cut_and_passed_on(share: float = 0.5) -> Play:
    """Let a part of the body come, announced as the whole: what a proxy makes of a broken connection."""
    return changed(lambda told: replace(told, body=told.body[: int(len(told.body) * share)]))


def dripped(every: float, *, head: bool = False) -> Play:
    """Let one byte come each `every` seconds: of the body, or of status line and headers too."""
    return changed(lambda told: replace(told, every=every, slow_head=head))


def dripped_page(every: float, size: int = 10_000) -> Play:
    """Let `size` bytes come, one each `every` seconds, whatever was asked."""
    return instead(Answer(200, _HTML, b" " * size, every=every))


def hung_up() -> Play:
    """End the connection without an answer."""
    return _ends(reset=False)


def reset() -> Play:
    """End the connection as a crash does."""
    return _ends(reset=True)


def silent(front: FaultProxy) -> Play:
    """Never answer; the end of the front ends it."""

    def played(_seen: SeenRequest, _ask: Ask) -> Answer:
        front.ended.wait()
        raise HangUp

    return played


def away(front: FaultProxy, seconds: float) -> Play:
    """Nobody listens from now on, for so many seconds; the request itself gets no answer."""

    def played(_seen: SeenRequest, _ask: Ask) -> Answer:
        front.leave(seconds)
        raise HangUp

    return played


def _ends(*, reset: bool) -> Play:
    def played(_seen: SeenRequest, _ask: Ask) -> Answer:
        raise HangUp(reset=reset)

    return played


# What other stores leave out.


def without_header(*names: str) -> Play:
    """Leave headers out, as `Date`."""
    return changed(lambda told: told.without(names))


def weak_etag() -> Play:
    """Make the ETag a weak one, in the header and in what the body tells."""

    def weaken(told: Answer) -> Answer:
        tag = told.header("ETag")
        body = re.sub(rb"<ETag>(?!W/)", b"<ETag>W/", told.body)
        weak = told.with_headers({"ETag": f"W/{tag}"}) if tag and not tag.startswith("W/") else told
        return replace(weak, body=body)

    return changed(weaken)
