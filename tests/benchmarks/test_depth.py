import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.depth.__main__ import main
from benchmarks.depth.extras import load_extra
from benchmarks.depth.kinds import depth_kinds
from benchmarks.depth.sorted_pcodec import encode_sorted


def test_the_benchmark_runs_and_its_figures_hang_together(tmp_path: Path) -> None:
    file = tmp_path / "depth.json"

    main(["--quick", "--size", "64x48", "--frames", "1", "--rounds", "1", "--json", str(file)])

    by_kind = {table["title"]: table["rows"] for table in json.loads(file.read_text())["tables"]}
    rows = {row["codec"]: row for row in by_kind["Depth, noisy"]}
    assert rows["zstd 3"]["ratio_to_zstd"] == rows["zstd 3"]["decode_ratio_to_zstd"] == 1
    assert rows["zstd 3"]["kib_per_frame"] == pytest.approx(rows["zstd 3"]["ratio_to_raw"] * 64 * 48 * 2 / 1024)
    assert rows["left difference, zstd 3"]["kib_per_frame"] < rows["zstd 3"]["kib_per_frame"]
    assert {row["codec"] for row in by_kind["Depth, all kinds"]} == set(rows)


def test_kinds_are_what_they_are_called() -> None:
    kinds = depth_kinds(1, height=96, width=128)

    assert (kinds["smooth"] > 0).all()
    assert np.abs(kinds["noisy"] - kinds["smooth"].astype(float)).mean() == pytest.approx(2, abs=1)
    assert np.mean(kinds["holey"] == 0) == pytest.approx(1 / 3, abs=0.01)
    assert len(np.unique(kinds["stereo"])) < 700


def test_pcodec_reads_the_sorted_dictionary() -> None:
    pcodec, standalone = load_extra("pcodec"), load_extra("pcodec.standalone")
    if pcodec is None or standalone is None:
        pytest.skip("pcodec is not installed: `python -m benchmarks.depth --quick --extras` does")
    load_extra("pcodec.wrapped")
    rng = np.random.default_rng(0)
    for values in ([0], [65_535], [0, 65_535], range(0, 65_536, 7), range(65_536)):
        for size in (1, 2, 255, 256, 257, 70_000):
            frame = rng.choice(np.asarray(values, np.uint16), size)
            assert np.array_equal(standalone.simple_decompress(encode_sorted(frame, pcodec)), frame)
