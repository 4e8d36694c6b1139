"""Checks the proxy that the environment names, before any call is made."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

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
    if not proxy or _is_address(proxy):
        return
    upper = f"{scheme}_proxy".upper()
    # urllib.request.getproxies_environment: the name in small letters takes precedence.
    name = next((one for one in (upper.lower(), upper) if os.environ.get(one)), upper)
    raise UsageError(
        f"{name} is no address of a proxy that can be asked: no call was made.",
        f"Set {name} to http://HOST:PORT, or unset it; NO_PROXY names the hosts that are reached without it.",
    )


def _is_address(proxy: str) -> bool:
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
