"""The web UI in a real browser: what is said of an episode is shown, its pictures too."""

import shutil
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from bagmill.testing import healthy, write_small_profile
from examples.demo import main
from examples.screenshots import browser, web_server

PICTURE = "//img[starts-with(@src, 'data:image/jpeg;base64,')]"


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs Chromium")
def test_the_contact_sheet_of_an_episode_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The demo sets both; this way they are put back.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path))
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    healthy(recordings / "a.mcap")
    profile = write_small_profile(tmp_path / "small.yaml")
    assert main(["--recordings", str(recordings), "--profile", str(profile), "--out", str(tmp_path / "out")]) == 0
    with web_server() as address, browser() as driver:
        wait = WebDriverWait(driver, 60)
        driver.get(f"{address}/assets/episode?view=partitions&partition=a.mcap")
        link = "//*[text()='contact_sheet']/following::*[text()='[Show Markdown]']"
        wait.until(lambda _: driver.find_elements(By.XPATH, link))
        driver.find_element(By.XPATH, link).click()
        wait.until(lambda _: driver.find_elements(By.XPATH, PICTURE))
        # A browser gives a picture that it cannot decode, or was told not to load, no width.
        width = "return document.querySelector(\"img[src^='data:image/jpeg']\").naturalWidth"
        assert wait.until(lambda _: driver.execute_script(width)) > 200
