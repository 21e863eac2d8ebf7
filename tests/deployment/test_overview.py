"""The page about a dataset: its numbers, its pictures, its outliers."""

import base64
import io
import re
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from PIL import Image

from assets.markdown import md_table, md_text
from assets.overview import describe_dataset
from bagmill.testing import Settings, healthy, with_black_frames

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _table(num: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "episode": [f"e{n:05d}.mcap" for n in range(num)],
            "version": [f"v{n:05d}" for n in range(num)],
            "duration_s": rng.normal(20, 1, num),
            "num_frames": 600,
            "raw_bytes": 4_000_000,
            "stored_bytes": 1_000_000,
            "robot": np.where(np.arange(num) % 2, "arm_a", "arm_b"),
            "task": "a | b",
            "profile": "p",
            "quality.skew": rng.normal(8, 0.5, num),
            "quality.jpeg_psnr": np.where(np.arange(num) % 3, 100.0, 44.0),
            "quality.rates": np.nan,
        }
    )


def _page(table: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    metadata = describe_dataset(table, snapshot_id="abc", num_refused=1)
    plain = {name: each.value for name, each in metadata.items()}
    return plain.pop("overview"), plain


def test_the_page_names_sums_and_outliers_with_number_and_limit() -> None:
    table = _table(100)
    table.loc[17, "quality.skew"] = 95.5
    page, numbers = _page(table)
    assert "# 100 episodes, 0.6 hours" in page
    assert "400 MB of recordings became 100 MB, 4.00 to 1. 1 episode in quarantine is not among them." in page
    assert "| arm\\_a | 50 | 0.28 | 30,000 | 200 MB | 50 MB |" in page
    assert "| a \\| b | 100 |" in page
    assert "## 1 outlier" in page
    (row,) = (row for row in page.splitlines() if "e00017.mcap" in row)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["e00017.mcap", "p", "skew", "95.5 ms"]
    assert 8 < float(cells[4].removesuffix(" ms")) < 20
    assert (numbers["num_outliers"], numbers["num_episodes"], numbers["snapshot_id"]) == (1, 100, "abc")
    assert numbers["median_jpeg_psnr_dB"] == 100.0
    assert "| jpeg\\_psnr | dB | 100 | 44 | exact | exact |" in page
    assert "median_rates_percent" not in numbers, "nothing was measured"


def test_the_picture_has_a_panel_for_everything_that_is_plotted() -> None:
    page, _ = _page(_table(100))
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]+)", page)[1]))).convert("RGB")
    assert picture.size == (640, 450)
    pixels = np.asarray(picture).astype(int).reshape(3, 150, 2, 320, 3)
    num_blue = ((pixels[..., 2] > pixels[..., 0] + 80).sum(axis=(1, 3))).reshape(-1)
    assert (num_blue[[0, 1, 2, 4, 5]] > 20).all()
    assert num_blue[3] == 0, "no rate was measured"


def test_a_page_about_ten_thousand_episodes_stays_a_page() -> None:
    table = _table(10_000)
    table["robot"] = [f"robot {n % 400}" for n in range(10_000)]
    table.loc[:299, "duration_s"] = 300.0
    page, numbers = _page(table)
    assert len(page) < 60_000
    assert "… and 370 more" in page
    assert f"… and {numbers['num_outliers'] - 50} more, less far out" in page
    assert numbers["num_outliers"] >= 300


def test_names_from_files_cannot_become_markup() -> None:
    assert md_text("a|b <img src=x> [x](y) `c`\n# d") == "a\\|b \\<img src=x\\> \\[x\\](y) \\`c\\` \\# d"
    assert md_table(("n", "size →"), [("x|y", "1")]).splitlines() == ["| n | size |", "| --- | ---: |", "| x\\|y | 1 |"]


def test_it_is_made_with_the_snapshot(line: Any) -> None:
    for n in range(2):
        line.add(f"{n}.mcap", lambda path, n=n: healthy(path, settings=Settings(num_frames=20 + n)))
    line.add("bad.mcap", with_black_frames)
    line.register()
    line.ingest("0.mcap", "bad.mcap")
    result = line.defs.resolve_job_def("take_snapshot").execute_in_process(instance=line.instance, run_config=QUIET)
    assert result.success
    event = line.instance.get_latest_materialization_event(dg.AssetKey("dataset_overview"))
    metadata = event.asset_materialization.metadata
    assert (metadata["num_episodes"].value, metadata["num_refused"].value) == (2, 1)
    assert "# 2 episodes" in metadata["overview"].value
    assert metadata["median_duration_s"].value > 0


def test_without_a_snapshot_it_says_so(line: Any) -> None:
    result = dg.materialize(
        [line.defs.get_assets_def("dataset_overview")],
        instance=line.instance,
        resources={"dataset_folder": line.defs.resources["dataset_folder"]},
        raise_on_error=False,
        run_config=QUIET,
    )
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "no snapshot is called 'latest'" in failure.step_failure_data.user_failure_data.description
