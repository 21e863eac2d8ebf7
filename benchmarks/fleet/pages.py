"""How long the web UI's pages take until they show what one came for, in a real browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from benchmarks.rounds import Spread
from benchmarks.table import Column, Record, Table
from examples.screenshots import browser

Samples = dict[str, list[float | None]]
"""By page: seconds, None where it did not show what one came for."""
_PATIENCE_S: Final = 120
_COLUMNS: Final = (
    Column("page", "page"),
    Column("seconds", "until it shows, s", ".2f"),
    Column("most_seconds", "slowest, s", ".2f"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the text that is there once it shows what one came for."""

    name: str
    path: str
    shows: str
    """XPath."""


def fleet_pages(episode: str, *, num_episodes: int) -> list[Page]:
    """The pages that ops staff look at.

    Args:
        episode: A partition.
        num_episodes: All partitions: the count of them is what shows that a page is complete.
    """
    count = f"{num_episodes:,}"
    has_count = f"//*[contains(text(), '{count}')]"
    return [
        Page("asset: overview", "/assets/episode?view=overview", "//*[contains(text(), 'Zarr episode')]"),
        Page("asset: partitions", "/assets/episode?view=partitions", has_count),
        Page(
            "asset: one partition",
            f"/assets/episode?view=partitions&partition={episode}",
            "//*[text()='recording_to_stored_ratio']",
        ),
        Page("asset: checks", "/assets/episode?view=checks", "//*[contains(text(), 'jpeg_psnr')]"),
        Page("backfills", "/runs?view=backfills", has_count),
        Page("runs", "/runs", "//*[text()='Success']"),
    ]


def has_browser() -> bool:
    """Whether Chromium and its driver are there."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def measure_pages(address: str, pages: list[Page], *, num_rounds: int) -> tuple[Table, Samples]:
    """Open every page once a round, each time from nothing, and wait for what it is opened for.

    Args:
        address: Of the web server.
        pages: Which.
        num_rounds: Times each.
    """
    seconds: Samples = {page.name: [] for page in pages}
    with _warm_browser(address) as driver:
        for _ in range(num_rounds):
            for page in pages:
                seconds[page.name].append(_open(driver, f"{address}{page.path}", page.shows))
    rows: list[Record] = [
        {"page": name, "seconds": _median(taken), "most_seconds": None if None in taken else max(filter(None, taken))}
        for name, taken in seconds.items()
    ]
    notes = [
        f"Headless Chromium on the same machine, its cache warm; medians of {num_rounds} times, until the page shows what "
        f"it is opened for; –: not within {_PATIENCE_S} s."
    ]
    return Table("Pages of the web UI", _COLUMNS, rows, notes), seconds


def _median(taken: list[float | None]) -> float | None:
    """None where a page did not show at all more often than not."""
    median = Spread.of([float("inf") if each is None else each for each in taken]).median
    return None if median == float("inf") else median


@contextmanager
def _warm_browser(address: str) -> Iterator[WebDriver]:
    with browser() as driver:
        _open(driver, f"{address}/assets", "//*[text()='episode']")
        yield driver


def _open(driver: WebDriver, url: str, shows: str) -> float | None:
    driver.get("about:blank")
    started = time.perf_counter()
    driver.get(url)
    try:
        WebDriverWait(driver, _PATIENCE_S, poll_frequency=0.02).until(lambda _: driver.find_elements(By.XPATH, shows))
    except TimeoutException:
        # What has been measured for an hour before is not given up for a page.
        return None
    return time.perf_counter() - started
