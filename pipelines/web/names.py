"""The names that a web server answers to, and the origins of its own pages.

A page of a stranger's can have its own name point to 127.0.0.1, and is then, for a browser, a page of the server that listens
there. What it cannot do is have the browser send another name than its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - listened at, no name
_AUTHORITY: Final = re.compile(
    r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9._-]{0,252}))(?::(?P<port>[0-9]{1,5}))?", re.A
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, name, port."""


def split_authority(text: str) -> tuple[str, int | None] | None:
    """A `Host` header's name and port.

    >>> split_authority("Robots.example:3000"), split_authority("[::1]"), split_authority("a@b")
    (('robots.example', 3000), ('[::1]', None), None)
    """
    found = _AUTHORITY.fullmatch(text.lower())
    if found is None or (found["port"] and int(found["port"]) > 65535):
        return None
    return found["name"], int(found["port"]) if found["port"] else None


def origin_of(text: str) -> Origin | None:
    """What an `Origin` header says; None where it says none, as `null` does.

    >>> origin_of("https://robots.example"), origin_of("null")
    (('https', 'robots.example', 443), None)
    """
    scheme, _, authority = text.partition("://")
    found = split_authority(authority)
    if scheme not in _DEFAULT_PORTS or found is None:
        return None
    name, port = found
    return scheme, name, _DEFAULT_PORTS[scheme] if port is None else port


@dataclass(frozen=True)
class Names:
    """What a server is called.

    The port does not count for the name, for a tunnel has another at its other end. It does count for a page's origin: by that,
    two servers of one machine are told apart.
    """

    hosts: frozenset[str]
    """Names and numbers, in lower case; IPv6 in brackets."""
    origins: frozenset[Origin]
    """Of its own pages where they are reached through a proxy, which may speak https and another name."""

    @classmethod
    def of(cls, hosts: Iterable[str], *, listens_at: str, urls: Iterable[str]) -> Names:
        """Names of this machine to itself, those that people use, and the address listened at.

        Args:
            hosts: Names that people's browsers use.
            listens_at: Address; one that stands for all of the machine's is no name.
            urls: Where people's browsers find this server and those beside it, this one first.
        """
        parts = [urlsplit(url) for url in urls]
        origins = [found for each in parts if (found := origin_of(f"{each.scheme}://{each.netloc}")) is not None]
        named = {*LOOPBACK, *(host.lower() for host in hosts), *(name for _, name, _ in origins)}
        if listens_at not in _EVERYWHERE:
            named.add(f"[{listens_at}]" if ":" in listens_at else listens_at.lower())
        return cls(frozenset(named), frozenset(origins[:1]))

    def knows(self, host: str) -> bool:
        """Whether a `Host` header names this server."""
        found = split_authority(host)
        return found is not None and found[0] in self.hosts

    def is_own(self, origin: str, *, host: str) -> bool:
        """Whether an `Origin` header is that of a page which this server gave out under that name."""
        found, authority = origin_of(origin), split_authority(host)
        if found is None or authority is None:
            return False
        name, port = authority
        return found == ("http", name, 80 if port is None else port) or found in self.origins
