"""Metrics of stage `preview`: an input that passes, one that fails, and the number."""

from typing import Any

import pytest

from bagmill.quality import PreviewEvidence, judge


@pytest.mark.parametrize(("num_decoded", "difference"), [(50, 0), (48, 2), (51, 1), (0, 50)])
def test_preview_frames_is_the_difference_to_the_ticks(robot: Any, num_decoded: int, difference: int) -> None:
    evidence = PreviewEvidence(num_ticks=50, num_frames_decoded=num_decoded, psnr_db=[30.0])
    frames, _ = judge("preview", evidence, robot.profile)
    assert frames.worst == difference
    assert frames.is_passed == (difference == 0)


@pytest.mark.parametrize(("psnr_db", "is_passed"), [([31.0, 20.0], True), ([31.0, 19.5], False)])
def test_preview_psnr_is_the_lowest(robot: Any, psnr_db: list[float], is_passed: bool) -> None:
    evidence = PreviewEvidence(num_ticks=50, num_frames_decoded=50, psnr_db=psnr_db)
    _, psnr = judge("preview", evidence, robot.profile)
    assert psnr.worst == psnr_db[1]
    assert psnr.is_passed == is_passed
    assert psnr.measurements[0].note == "lowest of 2 frames"
