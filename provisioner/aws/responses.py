"""Checks that an answer of AWS was received whole, before botocore parses it.

botocore parses JSON that was cut short as an empty answer (parsers.py, `_parse_body_as_json`); likewise an
empty XML body and a proxy's HTML page. A resource would then seem not to exist, so such answers are raised as
errors here. The page by which an emulator says that it does not know a call gets an error of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.compat import ETree, XMLParseError
from botocore.hooks import HierarchicalEmitter
from botocore.parsers import ResponseParserError

_SUCCESS = range(200, 300)
_HTML_BEGINNINGS = (b"<html", b"<!doctype html")
# werkzeug's answers where moto's server knows neither the address nor the action.
_UNKNOWN_TO_MOTO = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>",
    b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>",
)
# How other emulators say, with HTTP 400, that they lack a whole service or an action of it (ministack
# 1.5.33). AWS also answers `InvalidAction`, so this is matched only on an emulator's answers.
_UNKNOWN_TO_OTHER_EMULATORS = re.compile(rb'^\{"error": "Unsupported service: |\bInvalidAction\b')
# ministack 1.5.33 returns the page of a fixed response unescaped, which is not valid XML.
_UNESCAPED_PAGE = re.compile(rb"(?<=<MessageBody>)\s*<.*?(?=</MessageBody>)", re.DOTALL)

# A proxy or a captive portal refuses with these statuses and a page of its own (RFC 9110, RFC 6585 for 511);
# AWS refuses in the protocol of the call.
_PROXY_REFUSALS = (401, 403, 407, 451, 511)
# A front end before a service, such as AWS's own, throttles by the status alone, without a body in the
# protocol of the call (RFC 6585).
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_REDIRECTS = range(300, 400)
# Only S3 redirects: to the region of a bucket (S3 API, error responses: PermanentRedirect).
_REDIRECTING_SERVICE = "s3"


class NotAwsResponse(ResponseParserError):  # type: ignore[misc]  # botocore types none of its own
    """An answer by something in front of AWS's service; `status` and `headers` are those of HTTP."""

    def __init__(self, message: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class UnsupportedOperation(ResponseParserError):  # type: ignore[misc]  # botocore types none of its own
    """An emulator's answer that it does not know the call."""


def created_resource(reply: Mapping[str, Any], key: str) -> Any:
    """Return the resource that a call created: the first item of the list under `key` in its reply.

    Raises:
        ResponseParserError: The list is missing or empty. The reply counts as lost, so the resource is looked
            up.

    """
    created = reply.get(key) or []
    if not created:
        raise ResponseParserError(f"The call was answered without {key}.")
    return created[0]


def require_complete_responses(events: HierarchicalEmitter, *, is_emulator: bool = False) -> None:
    """Make a client raise an error for every answer that was not received whole.

    The error is the one that botocore raises for unreadable XML (ResponseParserError), for every protocol.
    With `is_emulator`, the deviations of other emulators are understood as well.
    """
    if is_emulator:
        events.register_first("before-parse.*", _adapt_emulator_response)
    events.register("before-parse.*", _check_response)


def _adapt_emulator_response(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Escape HTML that an emulator left unescaped in its XML; raise UnsupportedOperation if it lacks the service."""
    body = response_dict["body"]
    if not isinstance(body, bytes):
        return
    if response_dict["status_code"] not in _SUCCESS and _UNKNOWN_TO_OTHER_EMULATORS.search(body):
        raise UnsupportedOperation(f"The other side does not know {operation_model.name}.")
    response_dict["body"] = _UNESCAPED_PAGE.sub(lambda match: escape(match[0].decode()).encode(), body)


def _check_response(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Raise if an answer is an emulator's "unknown call", comes from a proxy, or was not received whole."""
    body, status = response_dict["body"], response_dict["status_code"]
    is_success, name = status in _SUCCESS, operation_model.name
    if is_success and (operation_model.has_streaming_output or operation_model.has_event_stream_output):
        return
    if not is_success and body.startswith(_UNKNOWN_TO_MOTO):
        raise UnsupportedOperation(f"The other side does not know {name}.")
    if sender := _foreign_sender(status, body, operation_model):
        raise NotAwsResponse(f"{name} was answered with {sender}.", status, response_dict["headers"])
    if fault := _body_fault(body, operation_model) if is_success else _refusal_fault(body, operation_model, status):
        raise _unreadable_answer_error(f"{name} was answered with {fault}.", response_dict)


def _unreadable_answer_error(message: str, response_dict: Any) -> ResponseParserError:
    """Return the error for an unreadable answer.

    A 429, or a refusal of access without a body, is a `NotAwsResponse`: its status says enough. Every other
    answer counts as a lost reply.
    """
    body, status = response_dict["body"], response_dict["status_code"]
    if status == _TOO_MANY_REQUESTS or (status in _PROXY_REFUSALS and not body.strip()):
        return NotAwsResponse(message, status, response_dict["headers"])
    return ResponseParserError(message)


def _foreign_sender(status: int, body: bytes, model: Any) -> str:
    """Describe an answer that AWS never sends, such as a proxy's page; "" if it may be AWS's."""
    is_page = body[:50].lstrip().lower().startswith(_HTML_BEGINNINGS)
    if status in _SUCCESS:
        return "a page of HTML, as a proxy sends" if is_page else ""
    if status in _REDIRECTS and (is_page or model.service_model.service_name != _REDIRECTING_SERVICE):
        return f"HTTP {status}, which leads elsewhere, as a captive portal does"
    return f"HTTP {status} and a page of HTML, as a proxy sends" if is_page and status in _PROXY_REFUSALS else ""


def _body_fault(body: bytes, model: Any) -> str:
    """Describe what is wrong with the body of a successful answer; "" if it is whole."""
    has_output = _has_output_in_body(model)
    if not body.strip():
        return "nothing" if has_output else ""
    if "json" not in model.service_model.resolved_protocol:
        return ""
    # For an operation without output an emulator may still answer JSON: moto's KMS sends `null`.
    is_whole = _is_json_object(body) if has_output else _is_json(body)
    return "" if is_whole else "what is no JSON, or was cut"


def _refusal_fault(body: bytes, model: Any, status: int) -> str:
    """Describe why a refusal cannot be parsed; "" if it can.

    Without its error code a refusal would not tell how to go on. botocore reads a bare status in the REST
    protocols, but not in those of EC2 and Query (parsers.py, `_do_error_parse`); it crashes on JSON that is
    not an object.
    """
    if not _is_text(body):
        return f"HTTP {status} and a refusal that is no text"
    if body.lstrip().startswith(b"{") and not _is_json_object(body):
        return f"HTTP {status} and a refusal that was cut"
    protocol = model.service_model.resolved_protocol
    if protocol in ("ec2", "query") and status < _SERVER_ERROR and not _is_xml(body):
        return f"HTTP {status} and {'a refusal that is no XML' if body.strip() else 'nothing'}"
    is_parsable = "json" not in protocol or not _is_json(body) or _is_json_object(body)
    return "" if is_parsable else f"HTTP {status} and a refusal that names nothing"


def _has_output_in_body(model: Any) -> bool:
    """Return whether an operation has output in the body, and not in headers alone."""
    members = model.output_shape.members.values() if model.output_shape else ()
    return any("location" not in member.serialization for member in members)


def _is_text(body: bytes) -> bool:
    """Return whether botocore can decode the body; it raises a UnicodeDecodeError if not (parsers.py)."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(body: bytes) -> bool:
    """Return whether a body is JSON."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _is_xml(body: bytes) -> bool:
    """Return whether a body is XML."""
    try:
        ETree.fromstring(body)
    except XMLParseError:
        return False
    return True


def _is_json_object(body: bytes) -> bool:
    """Return whether a body is a JSON object."""
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
