"""The film in a real browser: what a person clicks on in the web UI."""

import base64
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bagmill.episodes import Episode
from bagmill.previews import write_preview

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

_PAGE = """<!doctype html><meta charset="utf-8"><body style="margin:0;background:#fff">
<video id="film" muted src="data:video/mp4;base64,{film}"></video>"""

_COLOURS = """
const film = document.getElementById("film"), done = arguments[1];
film.pause();
film.addEventListener("seeked", () => {
  const canvas = document.createElement("canvas");
  canvas.width = film.videoWidth; canvas.height = film.videoHeight;
  const pen = canvas.getContext("2d");
  pen.drawImage(film, 0, 0);
  done([...pen.getImageData(0, 0, canvas.width, canvas.height).data]);
}, {once: true});
film.currentTime = arguments[0];
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: `make setup`")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip(f"needs Chromium and chromedriver on the path; found {chromium} and {driver}")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.set_script_timeout(30)
    yield opened
    opened.quit()


def _wait(browser: object, expression: str) -> object:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(f"return {expression}"))


def test_a_browser_plays_it_in_the_right_colours(make_episode: Callable[..., Episode], tmp_path: Path, browser: object):
    episode = make_episode(60, {"images/left": (96, 128), "depth/left": (96, 128)})
    write_preview(episode, tmp_path / "film.mp4", height=96, crf=30, rate_hz=Fraction(30))
    page = tmp_path / "page.html"
    page.write_text(_PAGE.format(film=base64.b64encode((tmp_path / "film.mp4").read_bytes()).decode()))

    browser.get(page.as_uri())

    film = "document.getElementById('film')"
    # 4: enough data to play on
    assert _wait(browser, f"{film}.readyState === 4")
    assert browser.execute_script(f"return {film}.error") is None
    assert browser.execute_script(f"return [{film}.videoWidth, {film}.videoHeight]") == [256, 96]
    assert browser.execute_script(f"return {film}.duration") == pytest.approx(2.0, abs=0.01)
    browser.execute_script(f"{film}.play()")
    assert _wait(browser, f"{film}.currentTime > 0.4")
    # In the middle of tick 20's frame
    data = browser.execute_async_script(_COLOURS, 20.5 / 30)
    pixels = np.array(data, np.uint8).reshape(96, 256, 4)[..., :3]
    np.testing.assert_allclose(pixels[16:80, 16:48].mean(axis=(0, 1)), (200, 30, 30), atol=8)
    np.testing.assert_allclose(pixels[16:80, 80:112].mean(axis=(0, 1)), 20 + 7 * 20, atol=8)
