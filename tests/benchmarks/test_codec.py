import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.codec.__main__ import main
from benchmarks.codec.storage import Method
from benchmarks.codec.videos import video_methods


def test_the_benchmark_runs_and_its_figures_hang_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "codec.json"

    main(["--quick", "--size", "96x96", "--frames", "8", "--rounds", "1", "--json", str(file)])

    (table,) = json.loads(file.read_text())["tables"]
    rows = {row["method"]: row for row in table["rows"]}
    assert rows["PNG files"]["ratio_to_png"] == 1
    assert rows["PNG files"]["load_ratio, 6 frames"] == 1
    assert rows["episode, lossless (zstd 3)"]["mse"] == 0
    assert rows["episode, JPEG Q90 4:2:0"]["kib_per_frame"] < rows["episode, JPEG Q100 4:4:4"]["kib_per_frame"]
    assert rows["episode, JPEG Q90 4:2:0"]["psnr_db"] < rows["episode, JPEG Q100 4:4:4"]["psnr_db"]
    assert [row["num_keyframes"] for row in table["rows"] if row["method"].startswith("AV1")] == [4, 1]
    assert "| H.265 g=20 crf=30 |" in capsys.readouterr().out


@pytest.mark.parametrize("method", list(video_methods(gops=(5,), crfs=(20,))), ids=lambda method: method.name)
def test_a_film_gives_the_frames_that_are_asked_for(method: Method, tmp_path: Path) -> None:
    gray = np.linspace(40, 200, 12).astype(np.uint8)
    clip = np.broadcast_to(gray[:, None, None, None], (12, 96, 96, 3))
    method.encode(np.ascontiguousarray(clip), tmp_path)

    film = method.open(tmp_path, 12)

    for ticks in ([11], [3], [4, 5], [0, 4], [6, 7, 8, 9, 10, 11], [2]):
        assert np.abs(film.load(ticks)[:, 48, 48, 1] - gray[ticks].astype(float)).max() < 5
