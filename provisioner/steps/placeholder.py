"""The command of the placeholder image (nginx), which makes it answer health checks and API prefixes."""

from __future__ import annotations

import re

from provisioner.settings import Workload
from provisioner.settings.section import as_served

_CONF = """\
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
{places}
  }}
}}
"""


def command(one: Workload) -> list[str]:
    """Return the shell command that writes nginx's configuration to /tmp and starts nginx."""
    port, health = one.container.port, _exactly(as_served(one.container.health_path))
    answers = {_place(prefix): f'200 \'{{"service":"{_title(one)}","path":"{prefix}"}}\'' for prefix in one.prefixes}
    answers.setdefault("/", '404 \'{"error":"no such path"}\'')
    answers.pop(health, None)
    places = "\n".join(f"    location {place} {{ return {answer}; }}" for place, answer in answers.items())
    conf = _CONF.format(port=port, health=health, places=places)
    return ["sh", "-c", f"cat > /tmp/nginx.conf <<'EOF'\n{conf}EOF\nexec nginx -c /tmp/nginx.conf"]


def _title(one: Workload) -> str:
    return one.name or "ml-api"


def _exactly(path: bytes) -> str:
    """Return the nginx location of exactly one path, which nginx compares decoded and without a query.

    A path with characters that are special in nginx's configuration becomes a regular expression of bytes.
    """
    if re.fullmatch(rb"/[A-Za-z0-9._~/@:%+&=-]*", path):
        return f"= {path.decode()}"
    return '~ "^' + "".join(_byte(one) for one in path) + '$"'


def _byte(one: int) -> str:
    plain = chr(one)
    return plain if plain.isascii() and (plain.isalnum() or plain in "/_-") else f"\\x{one:02x}"


def _place(prefix: str) -> str:
    """Return a path pattern as an nginx location.

    A pattern whose only wildcard is a `*` at its end is a plain prefix, as nginx reads every location.
    """
    plain = prefix.removesuffix("*")
    if "*" in plain or "?" in plain:
        return "~ ^" + re.escape(prefix).replace(r"\*", ".*").replace(r"\?", ".") + "$"
    return plain if prefix.endswith("*") else f"= {plain}"
