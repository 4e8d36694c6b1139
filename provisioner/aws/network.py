"""The way to AWS from this machine: proxies, hosts that were reached, the certificates that are trusted."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError
from botocore.utils import get_environ_proxies
from urllib3 import proxy_from_url
from urllib3.exceptions import LocationParseError

from provisioner.errors import UsageError


def check_proxy(url: str) -> None:
    """Refuse a proxy for `url` that no call can ever go through.

    Its address may hold a password, so it is never shown.

    Raises:
        UsageError: The variable that names the proxy does not hold the address of one.

    """
    scheme = urlsplit(url).scheme
    proxy = get_environ_proxies(url).get(scheme, "")
    if not proxy or _is_proxy_address(proxy):
        return
    upper = f"{scheme}_proxy".upper()
    # urllib.request.getproxies_environment: the name in small letters takes precedence.
    name = next((variable for variable in (upper.lower(), upper) if os.environ.get(variable)), upper)
    raise UsageError(
        f"{name} is no address of a proxy that can be asked: no call was made.",
        f"Set {name} to http://HOST:PORT, or unset it; NO_PROXY names the hosts that are reached without it.",
    )


def _is_proxy_address(proxy: str) -> bool:
    """Return whether a proxy's address can be used, as botocore and urllib3 read it.

    botocore 1.44.5 (httpsession.py, _fix_proxy_url) puts http:// before any other scheme, so that the scheme
    would be looked up as a host.
    """
    if "://" in proxy and not proxy.startswith(("http://", "https://")):
        return False
    if not proxy.startswith(("http:", "https:")):
        proxy = f"http:{proxy}" if proxy.startswith("//") else f"http://{proxy}"
    try:
        return bool(urlsplit(proxy).hostname and proxy_from_url(proxy))
    except (LocationParseError, ValueError):
        return False


# In the order of their first connection.
reached_hosts: dict[str, None] = {}
# How many of them are looked up: each lookup waits for its timeout if the name server is away.
_HOSTS_TO_LOOK_UP = 2


def note_reached(host: str) -> None:
    """Remember that a connection to a host was made."""
    reached_hosts.setdefault(host.lower())


def has_no_such_host(url: str) -> bool:
    """Return whether a URL's host has no address although other hosts have one.

    A host that was reached once has a name: if it fails now, the network or the name server is away. The same
    holds if none of the names that were reached can be looked up any more.
    """
    host = (urlsplit(url).hostname or "").lower()
    return bool(host) and host not in reached_hosts and (not reached_hosts or any(_resolvable_hosts()))


def _resolvable_hosts() -> Iterator[bool]:
    """Yield True for each of the first hosts reached whose name can be looked up now."""
    for name in list(reached_hosts)[:_HOSTS_TO_LOOK_UP]:
        with suppress(OSError):
            socket.getaddrinfo(name, None)
            yield True


VARIABLE, OLD_VARIABLE, SETTING = "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"


@dataclass(frozen=True)
class CertificateBundle:
    """The file of certificates that boto3 trusts, and what names it; `file` is "" for botocore's own."""

    file: str = ""
    source: str = ""

    @property
    def verify(self) -> str | bool:
        """The `verify` argument of botocore's HTTP session."""
        return self.file or True


def certificate_bundle() -> CertificateBundle:
    """Return the file of certificates that boto3 trusts.

    As botocore finds it: session.py, `create_client`; endpoint.py, `_get_verify_value`.
    """
    try:
        configured = botocore.session.Session().get_config_variable(SETTING)
    except BotoCoreError:  # an error of the profile, which has a message of its own
        configured = os.environ.get(VARIABLE)
    if configured:
        is_variable = os.environ.get(VARIABLE) == configured
        return CertificateBundle(str(configured), VARIABLE if is_variable else f"{SETTING} of the profile")
    old_variable_file = os.environ.get(OLD_VARIABLE, "")
    return CertificateBundle(old_variable_file, OLD_VARIABLE if old_variable_file else "")


def trust_hint(*, is_unreadable: bool) -> str:
    """Return what to do if a certificate is not trusted, or if the file of trusted ones cannot be read."""
    current = certificate_bundle()
    if is_unreadable and current.file:
        return f"{current.source} names {current.file}: name a file there of certificates in PEM."
    current_setting = f"{current.source} names {current.file} now" if current.file else "it is not set now"
    return (
        "A proxy that opens TLS shows certificates of its own: put its authority's certificate (PEM) into a "
        f"file, and name that with {VARIABLE} ({current_setting})."
    )
