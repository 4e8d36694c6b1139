"""The proxy that calls go through, as the environment names it: one that is no address is told at once."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from botocore.utils import get_environ_proxies
from urllib3 import proxy_from_url
from urllib3.exceptions import LocationParseError

from provisioner.errors import UsageError


def check_proxy(url: str) -> None:
    """Refuse a proxy of `url` that no call can ever go through; the address may hold a password: never shown.

    Raises:
        UsageError: the variable that names the proxy holds no address of one.

    """
    scheme = urlsplit(url).scheme
    proxy = get_environ_proxies(url).get(scheme, "")
    if not proxy or _is_address(proxy):
        return
    upper = f"{scheme}_proxy".upper()
    # urllib.request.getproxies_environment: the name in small letters counts before the other.
    name = next((one for one in (upper.lower(), upper) if os.environ.get(one)), upper)
    raise UsageError(
        f"{name} is no address of a proxy that can be asked: no call was made.",
        f"Set {name} to http://HOST:PORT, or unset it; NO_PROXY names the hosts that are reached without it.",
    )


def _is_address(proxy: str) -> bool:
    """Whether it can be asked, as botocore 1.44.5 (httpsession.py, _fix_proxy_url) and urllib3 take it.

    botocore puts http:// before any other scheme, so that the scheme would be asked for as a host.
    """
    if "://" in proxy and not proxy.startswith(("http://", "https://")):
        return False
    if not proxy.startswith(("http:", "https:")):
        proxy = f"http:{proxy}" if proxy.startswith("//") else f"http://{proxy}"
    try:
        return bool(urlsplit(proxy).hostname and proxy_from_url(proxy))
    except (LocationParseError, ValueError):
        return False
