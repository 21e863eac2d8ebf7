"""The web UI in a real browser, over `make ui`'s processes as they are: what the people who run a deployment do and see.

All in one test, and it takes most of a minute of processor time: what costs is Dagster's start, the runs and the browser.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import dagster as dg
import pytest
import yaml
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from assets import register_new
from bagmill.dataset import Dataset
from bagmill.testing import healthy, with_gap, write_small_profile
from examples.screenshots import browser
from pipelines.deployment import ROOT
from resources.media_urls import page_path
from resources.recordings import RecordingsFolder

PATIENCE_S = 180
"""For anything: a machine that is busy with other tests takes long, and nothing is proved by how long."""
EPISODES = ("a.mcap", "b.mcap", "c_gap.mcap")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs Chromium"),
]


@dataclass(frozen=True)
class Site:
    """A deployment whose servers run, and a browser in front of it."""

    dagster: str
    media: str
    dataset: Dataset
    driver: WebDriver

    def open(self, path: str) -> None:
        self.driver.get(self.dagster + path)

    def until(self, condition: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> Any:
        """What the condition gives once it gives anything; a page that changes under it is looked at again."""

        def look(_: WebDriver) -> Any:
            try:
                return condition()
            except (StaleElementReferenceException, NoSuchElementException):
                return None

        try:
            return WebDriverWait(self.driver, patience_s).until(look)
        except TimeoutException as err:
            page = self.driver.find_element(By.TAG_NAME, "body").text
            err.add_note(f"The page {self.driver.current_url} says:\n{page[-3000:]}")
            raise

    def until_reloaded(self, condition: Callable[[], Any]) -> Any:
        """As `until`, on a page that does not renew itself, or takes its time."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.until(condition, patience_s=10)
            except TimeoutException:
                if time.monotonic() > deadline:
                    raise
                self.driver.refresh()

    def shown(self, xpath: str) -> list[Any]:
        return [element for element in self.driver.find_elements(By.XPATH, xpath) if element.is_displayed()]

    def sees(self, text: str) -> Callable[[], list[Any]]:
        return lambda: self.shown(f"//*[text()[contains(., '{text}')]]")

    def click(self, xpath: str) -> None:
        """Click once it can be clicked: there, enabled, and behind nothing."""

        def click() -> bool:
            found = [element for element in self.shown(xpath) if element.is_enabled()]
            if not found:
                return False
            try:
                found[-1].click()
            except (ElementClickInterceptedException, ElementNotInteractableException):
                return False
            return True

        self.until(click)

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for episode in EPISODES:
        (with_gap if "gap" in episode else healthy)(recordings / episode)
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    port, media_port = _free_ports(2)
    dagster, media = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{media_port}"
    profile = write_small_profile(tmp_path / "small.yaml")
    settings = {
        "recordings": str(recordings),
        "dataset": str(tmp_path / "dataset"),
        "profiles": [{"match": "*", "profile": str(profile)}],
        "workers": {"processes": 1},
        "media": {"url": media, "port": media_port, "dagster_url": dagster},
        "alerts": {"disk_free_percent": 99.999},
    }
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path / "deployment.yaml"))
    with dg.DagsterInstance.get() as instance:
        register_new(instance, RecordingsFolder(folder=str(recordings)))
    with _servers(port, log=home / "ui.log"), browser() as driver:
        for address in (f"{dagster}/server_info", media):
            _wait_for_answer(address)
        yield Site(dagster, media, Dataset(tmp_path / "dataset"), driver)


def test_what_people_do_in_the_web_ui(site: Site) -> None:
    _be_told_by_the_watch(site)
    _see_the_asset_graph(site)
    _backfill_from_the_page(site)
    _look_at_a_partition(site)
    _read_a_failed_check(site)
    _play_the_film(site)
    _read_the_quarantine(site)
    _change_a_setting(site)


def _be_told_by_the_watch(site: Site) -> None:
    """No disk is free to the last byte: the watch says so, where whoever started it looks."""
    log = Path(os.environ["DAGSTER_HOME"]) / "ui.log"
    site.until(lambda: "is nearly full" in log.read_text())


def _see_the_asset_graph(site: Site) -> None:
    site.open("/asset-groups")
    for asset in ("recording", "timeline", "episode", "preview", "snapshot", "quarantine"):
        site.until(lambda asset=asset: site.shown(f"//*[text()='{asset}']"))


def _backfill_from_the_page(site: Site) -> None:
    """Preview and all it is made from, for every episode that is missing."""
    site.open("/assets/preview?view=lineage&lineageScope=upstream&lineageDepth=5")
    site.until(lambda: site.shown("//*[text()='recording']"))
    site.click("//button[contains(., 'Materialize all')]")
    site.until(site.sees("Launch runs to materialize 4 assets"))
    site.click("//button[normalize-space()='Missing']")
    for episode in EPISODES:
        site.until(site.sees(episode))
    site.click("//button[normalize-space()='Launch backfill']")
    site.until(lambda: not site.shown("//button[normalize-space()='Launch backfill']"))
    site.open("/runs?tab=backfills")
    link = site.until_reloaded(lambda: site.shown("//a[contains(@href, '/runs/b/')]"))[0].get_attribute("href")
    site.driver.get(link)
    # One episode is refused at stage `recording`: that is told, and it costs the others nothing.
    rows = {"recording": [3, 0, 3, 0], "timeline": [3, 0, 2, 1], "episode": [3, 0, 2, 1], "preview": [3, 0, 2, 1]}
    for asset, numbers in rows.items():
        site.until_reloaded(lambda asset=asset, numbers=numbers: _numbers_of(site, asset) == numbers)
    site.until_reloaded(site.sees("Failed"))
    assert site.dataset.published("a.mcap")
    assert site.dataset.published("b.mcap")
    assert not site.dataset.published("c_gap.mcap")


def _change_a_setting(site: Site) -> None:
    """A changed deployment's file is taken by the click on *Reload*: the night begins at another hour."""
    site.open("/automation")
    site.until(site.sees("nightly"))
    site.until(site.sees("At 02:00 AM UTC"))
    path = Path(os.environ["BAGMILL_DEPLOYMENT"])
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"nights": {"cron": "30 4 * * *"}}))
    site.open("/deployment/locations")
    site.click("//button[normalize-space()='Reload']")
    site.open("/automation")
    site.until_reloaded(site.sees("At 04:30 AM UTC"))


def _numbers_of(site: Site, asset: str) -> list[int]:
    """An asset's row on a backfill's page: partitions targeted, in progress, succeeded, failed."""
    page = site.driver.find_element(By.TAG_NAME, "body").text.splitlines()
    row = page[page.index(asset) :] if asset in page else []
    return [int(line) for line in row[:6] if line.isdecimal()]


def _look_at_a_partition(site: Site) -> None:
    pictures = {
        ("episode", "contact_sheet"): ("avif", 200),
        ("timeline", "skew_plot"): ("png", 640),
        ("recording", "rates_plot"): ("png", 640),
    }
    for (asset, key), (kind, width) in pictures.items():
        site.open(f"/assets/{asset}?view=partitions&partition=a.mcap")
        site.click(f"//*[text()='{key}']/following::*[text()='[Show Markdown]']")
        selector = f"img[src^='data:image/{kind};base64,']"
        # A browser gives a picture that it cannot decode, or was told not to load, no width.
        site.until(lambda s=selector, w=width: site.run(f'return document.querySelector("{s}")?.naturalWidth >= {w}'))
    site.open("/assets/episode?view=partitions&partition=c_gap.mcap")
    site.until(site.sees("failed, and did not materialize this asset"))


def _read_a_failed_check(site: Site) -> None:
    site.open("/assets/recording?view=checks&checkDetail=rates")
    # The check's own tab, below the asset's of that name.
    site.until(lambda: len(site.shown("//*[text()='Partitions']")) > 1)
    site.click("//*[text()='Partitions']")
    site.click("//*[text()='c_gap.mcap']")
    site.until(site.sees("/cam_high/image"))
    site.until(site.sees("at most 10 % asked"))
    assert site.shown("//*[text()='Failed']")


def _play_the_film(site: Site) -> None:
    version = site.dataset.published("a.mcap")[0]
    site.open("/assets/preview?view=partitions&partition=a.mcap")
    page = site.media + page_path("a.mcap", version)
    link = site.until(lambda: site.shown(f"//a[@href='{page}']"))
    site.driver.get(link[0].get_attribute("href"))
    site.until(lambda: site.run("return document.getElementById('film').readyState >= 3"))
    assert site.run("return document.getElementById('film').currentTime") == 0
    site.run("document.getElementById('film').play()")
    site.until(lambda: site.run("return document.getElementById('film').currentTime > 0.3"))
    film = "const film = document.getElementById('film');"
    assert site.run(f"{film} return film.error") is None
    assert site.run(f"{film} return [film.videoWidth, film.videoHeight]") == [192, 48], "two cameras and depth"
    assert site.run(f"{film} return film.duration") == pytest.approx(2.0, abs=0.05)
    # Into the middle: the server gives a browser the part it asks for.
    site.run(f"{film} film.pause(); film.currentTime = 1.5")
    site.until(lambda: site.run(f"{film} return !film.seeking && Math.abs(film.currentTime - 1.5) < 0.05"))
    for name in ("contact_sheet", "depth", "rates", "skew"):
        site.until(lambda name=name: site.run(f"return document.getElementById('{name}').naturalWidth >= 100"))
    site.click("//a[text()='In Dagster']")
    site.until(lambda: site.driver.current_url.startswith(site.dagster))
    site.until(site.sees("a.mcap"))
    site.driver.get(site.media)
    site.until(site.sees("3 episodes"))
    site.click("//a[text()='c_gap.mcap']")
    site.until(site.sees("Refused at stage recording"))


def _read_the_quarantine(site: Site) -> None:
    site.open("/assets/quarantine")
    site.click("//button[normalize-space()='Materialize']")
    site.until_reloaded(lambda: site.shown("//td[contains(., 'c_gap.mcap')]"))
    site.until(site.sees("check rates failed"))


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@contextmanager
def _servers(port: int, *, log: Path) -> Iterator[None]:
    """What `make ui` starts; when this ends, so has every process of it."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.ui", "--port", str(port)],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        except BaseException as err:
            err.add_note(log.read_text(errors="replace")[-4000:])
            raise
        finally:
            process.terminate()
            code = process.wait(PATIENCE_S)
    assert code == 0
    deadline = time.monotonic() + PATIENCE_S
    while left := _processes_of(os.environ["DAGSTER_HOME"]):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.2)


def _processes_of(home: str) -> dict[int, str]:
    """Processes, and their command lines, that were started for a DAGSTER_HOME."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"DAGSTER_HOME={home}\0".encode() in (folder / "environ").read_bytes() + b"\0":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def _wait_for_answer(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own server, on this machine
                return
        except (URLError, TimeoutError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
