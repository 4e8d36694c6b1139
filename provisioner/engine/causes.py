"""What lies beneath an error of a connection: certificates, files of trust, proxies, unknown names."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from botocore.exceptions import InvalidConfigError, SSLError
from urllib3.util.ssl_match_hostname import CertificateError

from provisioner.hosts import has_no_such_name

# http.client, when a proxy opens no tunnel.
_NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
# What opening a file ends with; a connection that ends so is refused by this machine's own firewall.
_UNREADABLE = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that it was made of by botocore, urllib3 and Python."""
    ahead, known = [error], set()
    while ahead:
        one = ahead.pop(0)
        if id(one) in known:
            continue
        known.add(id(one))
        yield one
        inner = [getattr(one, "kwargs", {}).get("error"), getattr(one, "reason", None), one.__cause__]
        ahead += [each for each in (*inner, one.__context__, *one.args) if isinstance(each, BaseException)]


def untrusted(error: BaseException) -> BaseException | None:
    """Why nobody there is trusted: the certificate, or the file of those to trust; None where they are."""
    return next((one for one in causes_of(error) if _is_certificate(one)), None) or unreadable_trust(error)


def unreadable_trust(error: BaseException) -> BaseException | None:
    """Why the file of certificates to trust cannot be read; None where it can."""
    # botocore endpoint.py, `_validate_verify_value`: the file is named, and its name is empty.
    if isinstance(error, InvalidConfigError):
        return Exception(str(error)) if "CA bundle" in str(error) else None
    if not isinstance(error, SSLError):
        return None
    return next((one for one in causes_of(error) if isinstance(one, _UNREADABLE) or _is_of_file(one)), None)


def _is_certificate(error: BaseException) -> bool:
    """Whether it was not signed by who is trusted, or is another host's."""
    return isinstance(error, (ssl.SSLCertVerificationError, CertificateError))


def _is_of_file(error: BaseException) -> bool:
    return isinstance(error, ssl.SSLError) and getattr(error, "library", "") in ("X509", "PEM")


def refused_tunnel(error: BaseException) -> int:
    """The status with which a proxy refused to lead on; 0 where none did."""
    return next((int(found[1]) for one in causes_of(error) if (found := _NO_TUNNEL.search(str(one)))), 0)


def is_unknown_host(error: BaseException) -> bool:
    """Whether no address was found for a name."""
    return any(isinstance(one, socket.gaierror) for one in causes_of(error))


def is_nowhere(error: BaseException) -> bool:
    """Whether a name has no address, nor ever had one in this process, while others have: no outage."""
    told = getattr(error, "kwargs", {})
    return is_unknown_host(error) and has_no_such_name(str(told.get("proxy_url") or told.get("endpoint_url")))
