"""The seed's nginx, made to really answer: its configuration is written below /tmp when it starts."""

from __future__ import annotations

from provisioner.settings import Settings

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
    location = {health} {{ return 200 '{{"status":"ok"}}'; }}
{prefixes}
    location / {{ return 404 '{{"error":"no such path"}}'; }}
  }}
}}
"""


def command(s: Settings) -> list[str]:
    """The shell command that writes the configuration and becomes nginx."""
    prefixes = "\n".join(
        f'    location {prefix.rstrip("*")} {{ return 200 \'{{"service":"ml-api","path":"{prefix}"}}\'; }}'
        for prefix in s.api.prefixes
    )
    conf = _CONF.format(port=s.container.port, health=s.container.health_path, prefixes=prefixes)
    return ["sh", "-c", f"cat > /tmp/nginx.conf <<'EOF'\n{conf}EOF\nexec nginx -c /tmp/nginx.conf"]
