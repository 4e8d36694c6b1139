"""The filter of requests to the emulator: only its own host names, and no request of a web page.

A web page can send requests to loopback, also under a host name of its own that it resolves to loopback (DNS
rebinding). The browser marks such requests: it sends the page's host name as Host, and adds `Origin` or
`Sec-Fetch-Site` (Fetch standard, "Origin header"; Fetch Metadata Request Headers, 2.1). No AWS client sends
either header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from provisioner.emulator.errors import AwsError
from provisioner.emulator.http_server import AUTHORITY, Application
from provisioner.emulator.traffic import is_visitor
from provisioner.emulator.wire import Environ, Response, parse_call, serialize_error

_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.IGNORECASE)
# The value of Sec-Fetch-Site where the user typed the address: no page sent the request.
_BY_HAND = "none"
_FORBIDDEN = 403


class OriginFilter:
    """The outermost application: refuses a foreign Host and every request of a web page."""

    def __init__(self, behind: Application, hosts: Iterable[str] = ()) -> None:
        self._behind = behind
        self._hosts = frozenset(host.lower() for host in hosts)

    def __call__(self, environ: Environ) -> Response:
        """Pass a request on, or refuse it with AccessDenied; remove CORS headers from the response."""
        objection = self._objection(environ)
        answer = (
            serialize_error(parse_call(environ), AwsError("AccessDenied", objection, _FORBIDDEN)) if objection else None
        )
        answer = answer or self._behind(environ)
        answer.headers = {
            name: value for name, value in answer.headers.items() if not name.lower().startswith("access-control-")
        }
        return answer

    def _objection(self, environ: Environ) -> str:
        """Return the reason to refuse a request, or "" to let it pass."""
        if "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", _BY_HAND) != _BY_HAND:
            return "The local AWS answers no web page: this request carries the headers of one."
        host_names = [environ.get("HTTP_HOST", "")]
        host_names += [environ[AUTHORITY]] if AUTHORITY in environ else []
        foreign = [name for name in host_names if not self._is_ours(name)]
        if not foreign or (len(host_names) == 1 and is_visitor(environ)):
            return ""
        return (
            f"The local AWS answers to 127.0.0.1 and localhost, not to {foreign[0] or 'a missing Host'}. "
            f"`local start --host NAME` lets a name in."
        )

    def _is_ours(self, authority: str) -> bool:
        """Return whether a Host header names loopback or an allowed host; the port does not matter."""
        fits = _AUTHORITY.fullmatch(authority)
        if not fits:
            return False
        name = fits["name"].lower().strip("[]")
        return name == "localhost" or name in self._hosts or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    """Return whether a name is an IP address of loopback."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
