"""The command of the placeholder image (nginx), which makes it answer health checks and API prefixes."""

from __future__ import annotations

import re

from provisioner.settings import Workload
from provisioner.settings.section import served_path

_NGINX_CONF = """\
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
daemon off;
events {{}}
http {{
  access_log /dev/stdout;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  default_type application/json;
  server {{
    listen {port};
    location {health} {{ return 200 '{{"status":"ok"}}'; }}
{locations}
  }}
}}
"""


def nginx_command(workload: Workload) -> list[str]:
    """Return the shell command that writes nginx's configuration to /tmp and starts nginx."""
    port, health = workload.container.port, _exact_location(served_path(workload.container.health_path))
    title = workload.name or "ml-api"
    answers = {
        _prefix_location(prefix): f'200 \'{{"service":"{title}","path":"{prefix}"}}\'' for prefix in workload.prefixes
    }
    answers.setdefault("/", '404 \'{"error":"no such path"}\'')
    answers.pop(health, None)
    locations = "\n".join(f"    location {location} {{ return {answer}; }}" for location, answer in answers.items())
    conf = _NGINX_CONF.format(port=port, health=health, locations=locations)
    return ["sh", "-c", f"cat > /tmp/nginx.conf <<'EOF'\n{conf}EOF\nexec nginx -c /tmp/nginx.conf"]


def _exact_location(path: bytes) -> str:
    """Return the nginx location of exactly one path, which nginx compares decoded and without a query.

    A path with characters that are special in nginx's configuration becomes a regular expression of bytes.
    """
    if re.fullmatch(rb"/[A-Za-z0-9._~/@:%+&=-]*", path):
        return f"= {path.decode()}"
    return '~ "^' + "".join(_escape_byte(byte) for byte in path) + '$"'


def _escape_byte(byte: int) -> str:
    """Return a byte for a regular expression of nginx."""
    char = chr(byte)
    return char if char.isascii() and (char.isalnum() or char in "/_-") else f"\\x{byte:02x}"


def _prefix_location(prefix: str) -> str:
    """Return a path pattern as an nginx location.

    A pattern whose only wildcard is a `*` at its end is a plain prefix, as nginx reads every location.
    """
    plain = prefix.removesuffix("*")
    if "*" in plain or "?" in plain:
        return "~ ^" + re.escape(prefix).replace(r"\*", ".*").replace(r"\?", ".") + "$"
    return plain if prefix.endswith("*") else f"= {plain}"
