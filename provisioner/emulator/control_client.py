"""The client of the emulator's control port: one request, with the token from the emulator's file."""

from __future__ import annotations

import json
from typing import Any

STATE = "local.json"
TIMEOUT = 2.0  # seconds; health is answered without waiting for the emulator's lock


def bearer(token: str) -> str:
    """Return the value of the Authorization header for a token (RFC 6750, 2.1)."""
    return f"Bearer {token}"


def ask(endpoint: str, token: str, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Send a request to the control port of an emulator; return the HTTP status and the parsed JSON.

    Raises:
        OSError: Nothing answers at the endpoint.
        HTTPException: The answer is not HTTP.
        ValueError: The answer is not JSON.

    """
    from http.client import HTTPConnection  # noqa: PLC0415  # only where a request is sent

    connection = HTTPConnection(endpoint.removeprefix("http://"), timeout=TIMEOUT)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(verb, f"/_embedded/{path}", sent, {"Authorization": bearer(token)})
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()
