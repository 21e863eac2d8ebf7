"""In front of a web server that asks nobody for a password: no page of a stranger's gets anything done or read by it.

A browser sends requests for whatever page it shows. Which page that was, it says in `Origin` and `Sec-Fetch-Site`; by which name
it was sent here, in `Host`. Programs that are no browsers say neither of the first two, and are taken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.web.names import Names, split_authority

MAX_BODY_BYTES: Final = 16 * 2**20
"""A backfill over 100,000 partitions names each of them."""
_BODY_PATIENCE_S: Final = 30
_ONCE: Final = (
    "host",
    "origin",
    "content-type",
    "content-length",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
)
"""Headers of which two are a trick: which of them counts differs from reader to reader."""
_READS: Final = ("GET", "HEAD")
_SAFETY: Final = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Refusal(Exception):
    """What is answered in place of what was asked for.

    Args:
        status: Of HTTP.
        sentence: What is wrong, and what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status: Final = status
        self.sentence: Final = sentence

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a WebSocket is not opened, and says no more than 403."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": self.sentence[:120]})
            return
        headers = {"cache-control": "no-store", "content-security-policy": "default-src 'none'", **_SAFETY}
        if scope.get("method") == "POST":
            headers["connection"] = "close"  # its body may not have been read
        await PlainTextResponse(self.sentence + "\n", self.status, headers)(scope, receive, send)


@dataclass(frozen=True)
class Guard:
    """ASGI middleware that only lets through what this server's own pages or no page at all asked for."""

    app: ASGIApp
    names: Names
    takes_posts: bool = False
    """Whether anything can be changed here: by POST, and by what goes over a WebSocket."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            self._look(scope)
            if scope["type"] == "http" and scope["method"] == "POST":
                receive = replay(await _read(scope, receive), receive)
        except Refusal as refusal:
            await refusal.answer(scope, receive, send)
        else:
            await self.app(scope, receive, _secured(send))

    def _look(self, scope: Scope) -> None:
        twice = next((name for name in _ONCE if len(header_values(scope, name)) > 1), None)
        if twice is not None:
            raise Refusal(400, f"This request has more than one header {twice}.")
        if not scope["path"].startswith("/"):
            raise Refusal(400, "This server is no proxy: a request names a path that begins with a slash.")
        host = header_value(scope, "host") or ""
        if not self.names.knows(host):
            raise _wrong_name(host)
        is_socket = scope["type"] == "websocket"
        if not is_socket and scope["method"] in _READS:
            self._check_reader(scope, host)
        elif self.takes_posts and (is_socket or scope["method"] == "POST"):
            self._check_sender(scope, host)
        else:
            only = "GET, HEAD and POST" if self.takes_posts else "GET and HEAD: it only shows, and takes nothing in"
            raise Refusal(405, f"This server knows {only}.")

    def _check_sender(self, scope: Scope, host: str) -> None:
        """Of what may change something: from a page of this server, or from no page."""
        if not self._is_own(scope, host):
            raise Refusal(
                403,
                "This was sent by a page of another server, which may not change anything here. Where it is this server's own "
                "page, behind a proxy, `media.dagster_url` in the deployment's file has to be the address that browsers show.",
            )

    def _check_reader(self, scope: Scope, host: str) -> None:
        """Of what only reads: also a link on a page of others that somebody follows, but no part of such a page."""
        to, what = header_value(scope, "sec-fetch-mode"), header_value(scope, "sec-fetch-dest")
        is_link = header_value(scope, "origin") is None and (to, what) == ("navigate", "document")
        if not is_link and not self._is_own(scope, host):
            raise Refusal(403, "This is not for being part of a page of another server.")

    def _is_own(self, scope: Scope, host: str) -> bool:
        origin, site = header_value(scope, "origin"), header_value(scope, "sec-fetch-site")
        return (origin is None or self.names.is_own(origin, host=host)) and site in (None, "same-origin", "none")


def _wrong_name(host: str) -> Refusal:
    found = split_authority(host)
    if found is None:
        return Refusal(400, "A request has to name this server in its header Host.")
    return Refusal(
        421,
        f"This server does not answer to the name {found[0]}. Where people are to reach it by that name, add it to "
        "`web.hosts` in the deployment's file, or to the addresses under `media`, and restart the server.",
    )


def header_values(scope: Scope, name: str) -> list[str]:
    """Every header of a name, in lower case, as it was sent."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name.encode()]


def header_value(scope: Scope, name: str) -> str | None:
    """The first header of a name."""
    return next(iter(header_values(scope, name)), None)


def replay(body: bytes, receive: Receive) -> Receive:
    """What an application reads where its request's body was read before."""
    is_told = False

    async def receive_again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _read(scope: Scope, receive: Receive) -> bytes:
    """A request's body, all of it.

    Raises:
        Refusal: It is too long, or does not come.
    """
    too_long = Refusal(413, f"A request may have {MAX_BODY_BYTES // 2**20} MiB at most.")
    told = header_value(scope, "content-length") or "0"
    if not (told.isascii() and told.isdecimal()) or len(told) > 18 or int(told) > MAX_BODY_BYTES:
        raise too_long
    body = bytearray()
    more = True
    try:
        async with asyncio.timeout(_BODY_PATIENCE_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The request ended before its body did.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAX_BODY_BYTES:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "The request was not sent in time.") from None
    return bytes(body)


def _secured(send: Send) -> Send:
    """What is answered, with the headers that keep it out of others' pages."""

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SAFETY.items():
                headers[name] = value
            for name in [name for name in headers if name.startswith("access-control-")]:
                del headers[name]
            if "frame-ancestors" not in headers.get("content-security-policy", ""):
                headers.append("content-security-policy", "frame-ancestors 'none'; base-uri 'self'")
            headers.setdefault("referrer-policy", "same-origin")
            # What has a tag can be asked for again; what has none is of the moment.
            headers.setdefault("cache-control", "private" if "etag" in headers else "no-store")
        await send(message)

    return send_secured
