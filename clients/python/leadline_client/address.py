"""Where a server's stream is, and what it means when something else answers there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from .errors import LeadlineError, server_failure

_BEHIND = "is the server behind it running?"
_REMEDIES = {
    401: "it wants credentials that the server itself does not know",
    403: "something in front of the server refuses you",
    404: "there is no Leadline at this path",
    413: "something in front of the server bounds uploads: raise its limit (nginx: client_max_body_size), or send less",
    426: "something in front of the server does not pass WebSockets on; docs/proxies.md has the settings",
    429: "you are asked to come less often",
    502: _BEHIND,
    503: _BEHIND,
    504: _BEHIND,
}


def stream_url(address: str) -> str:
    """Address of the stream of the server at `address`: http becomes ws, a path in front and a query stay.

    Raises REQUEST_INVALID.
    """
    scheme, host, path, query = _parts(address)
    return urlunsplit((scheme.replace("http", "ws"), host, f"{path}v1/stream", query, ""))


def server_url(address: str) -> str:
    """Where the paths of the server at `address` begin, as http and with a slash at the end.

    Raises REQUEST_INVALID.
    """
    scheme, host, path, _ = _parts(address)
    return urlunsplit((scheme.replace("ws", "http"), host, path, "", ""))


def _parts(address: str) -> tuple[str, str, str, str]:
    """Scheme, host, path up to what every server has, with a slash at the end, and query.

    `host:port` is a server too, over http: `localhost:8042` would be a URL of the scheme `localhost`.
    """
    text = address.strip()
    whole = f"http://{text}" if re.match(r"[^\s/?#@:\[\]\\]+(:\d+)?([/?#]|$)|\[", text) else text
    try:
        parts = urlsplit(whole)
        # Reading the port looks at it.
        is_server = re.match(r"(ws|http)s?$", parts.scheme) and parts.hostname and parts.port != -1
    except ValueError:
        is_server = False
    if not is_server:
        raise LeadlineError(
            "REQUEST_INVALID",
            f'"{address}" is not the address of a server; write host:port, ws://host:port or wss://host',
        )
    scheme, host, path, query, _ = parts
    return scheme, host, re.sub(r"/(v1/stream)?$", "", path) + "/", query


def refusal(url: str, status: int, reason: str, headers: Mapping[str, str], body: bytes) -> LeadlineError:
    """The server's problem document as an error; without one, what answered in its place, and what to do about that."""
    try:
        problem = json.loads(body)
        code, detail, retry_after_ms = problem["code"], problem["detail"], problem.get("retryAfterMs")
        if isinstance(code, str) and isinstance(detail, str):
            return server_failure(code, detail, retry_after_ms if isinstance(retry_after_ms, int) else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return _foreign(url, status, reason, headers)


def _foreign(url: str, status: int, reason: str, headers: Mapping[str, str]) -> LeadlineError:
    who = f" ({headers['server']})" if "server" in headers else ""
    what = f"{_origin(url)} answered {status}{f' {reason}' if reason else ''}{who}"
    if "location" in headers:
        return LeadlineError("ANSWER_UNEXPECTED", f"{what}; it sends you to {headers['location']}")
    code = "CONNECTION_LOST" if status in (429, 502, 503, 504) else "ANSWER_UNEXPECTED"
    return LeadlineError(code, f"{what}; {_REMEDIES.get(status, 'is this the address of a Leadline server?')}")


def unreachable(url: str, error: BaseException) -> LeadlineError:
    return LeadlineError(
        "CONNECTION_LOST", f"{_origin(url)} cannot be reached: {error or type(error).__name__}; is the server running?"
    )


def _origin(url: str) -> str:
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{host.rpartition('@')[2]}"
