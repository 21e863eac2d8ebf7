"""Addresses as they may be told: without user, password, query and fragment, which may hold what only their owner should know.

Whatever prints, logs or stores an address writes it by `public_address`; whatever passes on another library's words about one
goes through `without_secrets` first. Errors of bagmill's do so by themselves.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:/{1,2}[^\s<>\"'`]++")
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+:/{1,2})?([^/?#]*+)([^?#]*+)(\?[^#]*+)?(#.*+)?", re.DOTALL)
_WORDS: Final = ("signature", "password", "passwd", "secret", "token", "credential")
"""They stand anywhere in the name of a secret."""
_NAMED: Final = re.compile(
    rf"(?i)\b((?:[\w-]{{0,40}}(?:{'|'.join(_WORDS)})[\w-]{{0,40}}|authorization|sig|api[_-]?key)"
    r"[\"']?\s*(?:=|:\s)\s*(?:(?:bearer|basic)\s+)?[\"']?)[^\s\"'&,;)}\]]+"
)
_MARKS: Final = (*_WORDS, "authorization", "sig", "api")
"""One of them stands in every name of a secret."""
_HIDDEN: Final = "…"
_LEAST: Final = 4
"""Characters of a value of a query that is looked for in other words: shorter ones stand everywhere."""


def public_address(address: str, below: str = "") -> str:
    """An address without user, password, query and fragment.

    Args:
        address: With or without its scheme: `https://user:word@host/data?sig=x` is `https://host/data?…`.
        below: The way from it to what is meant; the query is left out then, without a mark.

    Returns:
        What has none of them, as it is.
    """
    found = _PARTS.fullmatch(address)
    assert found is not None, "every text matches: each part may be empty"
    scheme, host, path, query, fragment = (part or "" for part in found.groups())
    is_port = re.fullmatch(r"(?:[^:]*|\[.*\])(?::[0-9]*)?", host) is not None
    if scheme and "@" not in host and not is_port and "@" in path + query + fragment:
        # A password with a slash in it, which should be written %2F: the host comes behind it.
        host, path, query, fragment = "", (path + query + fragment).rsplit("@", 1)[1], "", ""
    host = host.rsplit("@", 1)[-1]
    marks = "" if below else ("?" + _HIDDEN if query else "") + ("#" + _HIDDEN if fragment else "")
    return f"{scheme}{host}{path.rstrip('/') if below else path}{marks}" + (f"/{below}" if below else "")


def without_secrets(text: str, *addresses: str) -> str:
    """Words about addresses, without what `public_address` leaves out of them, and without what is named a secret.

    Args:
        text: Of another library, say.
        addresses: That it may be about: their secrets are left out wherever they stand.
    """
    for address in addresses:
        for secret in sorted(_secrets(address), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
    if ":/" in text:
        text = _ADDRESS.sub(lambda found: public_address(found[0]), text)
    # Most words name no secret; errors are made by the hundred thousand where every message is damaged.
    lowered = text.lower()
    if text.isascii() and not any(mark in lowered for mark in _MARKS):
        return text
    return _NAMED.sub(rf"\1{_HIDDEN}", text)


def is_address(text: str) -> bool:
    """Whether a text begins as an address does, be it that of a path made of one, with a slash less."""
    return _ADDRESS.match(text) is not None


def has_secrets(address: str) -> bool:
    """Whether an address has a user, a password, a query or a fragment."""
    return public_address(address) != address


def _secrets(address: str) -> set[str]:
    """What of an address only its owner should know, as it is written and as it is meant."""
    found = _PARTS.fullmatch(address)
    assert found is not None, "every text matches"
    query = (found[4] or "")[1:]
    users = found[2].rsplit("@", 1)[0] if "@" in found[2] else ""
    password = users.split(":", 1)[1] if ":" in users else ""
    # What libraries make of a password with signs in it that should be escaped.
    written = {password, *password.split("@"), query, *(part.partition("=")[2] for part in query.split("&"))}
    written |= {value for _, value in parse_qsl(query)}
    return {each for part in written for each in (part, unquote(part)) if len(each) >= _LEAST}


def host_of(address: str) -> str:
    """The host alone; empty where there is none to be told."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
