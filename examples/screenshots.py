"""Takes the pictures of the web UI in `docs/images` anew: `make screenshots`, after `make demo`.

Starts Dagster's web server and the media server over the demo's data on free ports, opens their pages in headless Chromium,
and ends all three.
Needs Chromium and its driver (`apt install chromium chromium-driver`).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from pipelines.deployment import DEFAULT_PATH, ROOT

WIDTH, HEIGHT = 1600, 1000
_PATIENCE_S = 60
_SETTLE_S = 3
"""How long a page is left alone after the last click, for what it still animates."""


@dataclass(frozen=True, slots=True)
class Page:
    """One picture: which page, and what is clicked there."""

    name: str
    path: str
    clicks: tuple[str, ...]
    """Texts of the elements to click, in order."""
    shows: str
    """XPath of what has to be there, else the picture would be of something else."""
    is_media: bool = False
    """A page of the media server, not of Dagster's."""


PAGES: Final = (
    Page("asset_graph", "/asset-groups", (), "//*[text()='snapshot']"),
    Page(
        "episode_partition",
        "/assets/episode?view=partitions&partition=aloha_raw.mcap",
        ("[Show Markdown]",),
        "//img[starts-with(@src, 'data:image/avif;base64,')]",
    ),
    Page(
        "failed_check",
        "/assets/recording?view=checks&checkDetail=rates",
        ("Partitions", "aloha_stalled.mcap"),
        "//*[text()='/cam_wrist/image']",
    ),
    Page("episode_page", "/episodes/aloha_raw.mcap", (), "//video[@src]", is_media=True),
    Page("episode_list", "/", (), "//a[text()='aloha_raw.mcap']", is_media=True),
)


def take(out: Path) -> list[Path]:
    """Take every picture.

    Args:
        out: Folder to write to.

    Returns:
        PNG files of 1600 × 1000 pixels.
    """
    out.mkdir(parents=True, exist_ok=True)
    with web_server() as dagster, media_server() as media, browser() as driver:
        # The web UI remembers this, and lays its graph out in the room that is left.
        _open(driver, dagster + "/asset-groups", clicks=("Hide navigation",))
        return [_take(page, driver, media if page.is_media else dagster, out) for page in PAGES]


@contextmanager
def web_server() -> Iterator[str]:
    """Dagster's web server over the demo's instance; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipelines.web", "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603 - our own command line
        command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_answer(f"{address}/server_info", server)
        yield address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def media_server() -> Iterator[str]:
    """The media server over the demo's dataset; gives its address."""
    command = [sys.executable, "-m", "pipelines.media", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert server.stdout is not None
        said = re.search(r"http://\S+?(?=,)", server.stdout.readline())
        if said is None:
            raise TimeoutError("The media server does not start: see what `make ui` says")
        yield said.group()
    finally:
        server.terminate()
        server.wait()


def _environment() -> dict[str, str]:
    return {"DAGSTER_HOME": str(ROOT / "var" / "dagster"), "BAGMILL_DEPLOYMENT": str(DEFAULT_PATH), **os.environ}


@contextmanager
def browser(*more: str) -> Iterator[WebDriver]:
    """Headless Chromium with a page of 1600 × 1000 pixels and a profile of its own.

    Args:
        more: Flags of Chromium, beside those that it always gets here.
    """
    binary, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver_path is None:
        raise FileNotFoundError("Chromium or its driver is not there: apt install chromium chromium-driver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = binary
        for flag in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
            *more,
        ):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(driver_path))
        try:
            driver.set_window_size(WIDTH, HEIGHT)
            frame = HEIGHT - int(driver.execute_script("return window.innerHeight"))
            driver.set_window_size(WIDTH, HEIGHT + frame)
            yield driver
        finally:
            driver.quit()


def _take(page: Page, driver: WebDriver, address: str, out: Path) -> Path:
    _open(driver, address + page.path, clicks=page.clicks)
    WebDriverWait(driver, _PATIENCE_S).until(partial(_shown, xpath=page.shows))
    time.sleep(_SETTLE_S)
    path = out / f"{page.name}.png"
    path.write_bytes(driver.get_screenshot_as_png())
    return path


def _open(driver: WebDriver, url: str, *, clicks: tuple[str, ...]) -> None:
    driver.get(url)
    for text in clicks:
        xpath = f"//*[text()='{text}']"
        WebDriverWait(driver, _PATIENCE_S).until(partial(_shown, xpath=xpath))
        time.sleep(_SETTLE_S)
        # The last of that text: tabs inside a page are called as those of the page are.
        _shown(driver, xpath=xpath)[-1].click()


def _shown(driver: WebDriver, *, xpath: str) -> list[WebElement]:
    return [element for element in driver.find_elements(By.XPATH, xpath) if element.is_displayed()]


def _wait_for_answer(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own server, on this machine
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    raise TimeoutError("Dagster's web server does not answer: see what `make ui` says")


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures; the exit code is 1 where that fails."""
    parser = argparse.ArgumentParser(prog="python -m examples.screenshots", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="default: docs/images")
    try:
        for path in take(parser.parse_args(arguments).out):
            print(path)
    except (OSError, WebDriverException) as err:
        print(f"No pictures: {str(err).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
