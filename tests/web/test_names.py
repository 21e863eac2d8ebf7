"""Which names a server answers to, and which origins are its own."""

import pytest

from pipelines.web.names import Names, split_authority

NAMES = Names.of(
    ["robots", "Lab.Example", "10.0.0.5"],
    listens_at="192.168.7.2",
    urls=["https://look.example/dagster", "http://films.example:3001"],
)


OURS = """
127.0.0.1 127.0.0.1:3000 localhost:3000 LOCALHOST [::1]:3000 robots robots:8080 lab.example 10.0.0.5:3000 192.168.7.2:3000
look.example films.example:3001
"""
NOT_OURS = """
evil.example evil.example:3000 robots.evil.example evilrobots 0.0.0.0:3000 [::]:3000 127.0.0.2 127.1 2130706433 :3000 %6cocalhost
localhost.evil.example localhost. robots@evil.example evil.example#robots robots:x robots:99999999 robots:70000 robots/ ::1 [::1
robots,evil.example robots\\evil.example [::1]x [fe80::1%25lo] ʀobots robots٠ 127.0.0.1: 127.0.0.1:3000:3000
"""


@pytest.mark.parametrize("host", OURS.split())
def test_it_answers_to_its_names(host: str) -> None:
    assert NAMES.knows(host)


@pytest.mark.parametrize("host", [*NOT_OURS.split(), "", " ", "robots ", " robots"])
def test_it_answers_to_no_other(host: str) -> None:
    assert not NAMES.knows(host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://robots", "robots"),
        ("http://robots", "robots:80"),
        ("http://ROBOTS:3000", "robots:3000"),
        ("https://look.example", "look.example"),
        ("https://look.example", "127.0.0.1:3000"),  # a proxy that asks by a name of its own
    ],
)
def test_its_own_pages_are_known(origin: str, host: str) -> None:
    assert NAMES.is_own(origin, host=host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        *[
            (origin, "127.0.0.1:3000")
            for origin in ("null", "", "http://127.0.0.1", "http://127.0.0.1:3001", "http://localhost:3000")
        ],
        *[(f"{scheme}://127.0.0.1:3000", "127.0.0.1:3000") for scheme in ("https", "file", "chrome-extension", "ws")],
        ("http://127.0.0.1:3000.evil.example", "127.0.0.1:3000"),
        ("http://127.0.0.1:3000@evil.example", "127.0.0.1:3000"),
        ("http://127.0.0.1:3000/", "127.0.0.1:3000"),
        ("http://127.0.0.1:3000 http://evil.example", "127.0.0.1:3000"),
        ("http://evil.example", "127.0.0.1:3000"),
        ("http://look.example", "127.0.0.1:3000"),
        ("https://robots", "robots"),
        ("http://films.example:3001", "127.0.0.1:3000"),
        ("http://[::1", "127.0.0.1:3000"),
    ],
)
def test_no_other_page_is(origin: str, host: str) -> None:
    assert not NAMES.is_own(origin, host=host)


def test_an_address_that_stands_for_all_is_no_name() -> None:
    for everywhere in ("0.0.0.0", "::"):  # noqa: S104 - no address is listened at
        names = Names.of([], listens_at=everywhere, urls=["http://127.0.0.1:3000"])
        assert names.hosts == {"127.0.0.1", "localhost", "[::1]"}
    assert Names.of([], listens_at="fd00::7", urls=[]).knows("[fd00::7]:3000")


def test_a_port_is_told_apart_from_ipv6() -> None:
    assert split_authority("[fd00::7]:80") == ("[fd00::7]", 80)
    assert split_authority("[fd00::7]") == ("[fd00::7]", None)
