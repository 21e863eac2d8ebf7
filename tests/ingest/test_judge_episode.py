"""What is judged is what the published shard gives back, whatever was measured on the way there."""

from dataclasses import replace

import numpy as np
import pytest

from bagmill.codecs import encode_jpeg
from bagmill.ingest import IngestRequest
from bagmill.ingest.episode import MadeEpisode, judge_episode, make_episode
from bagmill.ingest.fingerprint import fingerprint
from bagmill.ingest.timeline import make_timeline
from bagmill.plan import IngestPlan, resolve
from bagmill.profile import parse_profile
from bagmill.quality import CheckResult, PictureStatistics
from bagmill.recordings import open_recording
from bagmill.streams import scan
from bagmill.testing import healthy, small_profile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestPlan, MadeEpisode]:
    folder = tmp_path_factory.mktemp("judge")
    path, profile = healthy(folder / "run.mcap"), parse_profile(small_profile())
    with open_recording(path) as recording:
        plan = resolve(profile, scan(recording))
        episode = make_episode(
            plan,
            make_timeline(plan),
            request=IngestRequest(episode="run.mcap", recording=path, dataset=folder / "data", profile=profile),
            version="0" * 16,
            recording=recording,
            taken=fingerprint(path),
            progress=None,
        )
    return plan, episode


def psnr(checks: tuple[CheckResult, ...], camera: str) -> float:
    check = next(check for check in checks if check.name == "jpeg_psnr")
    return next(measurement.value for measurement in check.measurements if measurement.subject == camera)


def encoded_camera(episode: MadeEpisode) -> str:
    return next(name for name, target in episode.result.targets.items() if target.step in ("420", "444"))


def test_measured_once_or_twice_the_numbers_are_the_same(made: tuple[IngestPlan, MadeEpisode]):
    plan, episode = made
    camera = encoded_camera(episode)
    audit = episode.result.targets[camera].audit
    known = psnr(judge_episode(plan, episode), camera)
    kept = dict(audit)
    try:
        audit.update({tick: replace(frame, picture=None) for tick, frame in kept.items()})
        assert psnr(judge_episode(plan, episode), camera) == pytest.approx(known, abs=1e-9)
    finally:
        audit.update(kept)


def test_other_bytes_than_those_that_were_measured_are_measured(made: tuple[IngestPlan, MadeEpisode]):
    plan, episode = made
    camera = encoded_camera(episode)
    audit = episode.result.targets[camera].audit
    known = psnr(judge_episode(plan, episode), camera)
    kept = dict(audit)
    flattering = PictureStatistics.of(*[np.zeros((48, 64, 3), np.uint8)] * 2)
    elsewhere = encode_jpeg(np.zeros((48, 64, 3), np.uint8))
    try:
        audit.update({tick: replace(frame, data=elsewhere, picture=flattering) for tick, frame in kept.items()})
        assert psnr(judge_episode(plan, episode), camera) == pytest.approx(known, abs=1e-9)
        audit.update({tick: replace(frame, picture=flattering) for tick, frame in kept.items()})
        assert psnr(judge_episode(plan, episode), camera) == 100, "the very bytes: taken as they were measured"
    finally:
        audit.update(kept)
