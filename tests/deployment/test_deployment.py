"""The deployment's file: what is taken from it, and what is said of mistakes."""

import logging
from pathlib import Path

import pytest
import yaml

import bagmill.deployment
import pipelines.deployment
from bagmill.errors import SettingsError
from pipelines.deployment import ROOT, load_deployment


def _written(folder: Path, text: str) -> Path:
    path = folder / "deployment.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        "recordings: ../raw\ndataset: /data/set\nworkers: {processes: 3}\n"
        "profiles:\n- {match: 'a/*', profile: p/a.yaml}\n",
    )
    deployment = load_deployment(path)
    assert deployment.recordings == tmp_path.parent / "raw"
    assert deployment.dataset == Path("/data/set")
    assert deployment.profiles[0].profile == tmp_path / "p" / "a.yaml"
    assert (deployment.workers.processes, deployment.workers.threads) == (3, None)


def test_addresses_are_refused_with_their_place(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        "recordings: s3://bucket/raw\ndataset: gs://bucket/set\nprofiles: [{match: '*', profile: 's3://bucket/p.yaml'}]\n",
    )
    with pytest.raises(SettingsError) as caught:
        load_deployment(path)
    for place in ("$.recordings", "$.dataset", "$.profiles[0].profile"):
        assert f"@ {place}" in str(caught.value)
    assert str(caught.value).count("is an address, not a path on this machine") == 3


def test_an_empty_file_has_the_defaults(tmp_path: Path) -> None:
    deployment = load_deployment(_written(tmp_path, ""))
    assert deployment.recordings == tmp_path / "recordings"
    assert deployment.dataset == tmp_path / "dataset"
    assert deployment.profiles == ()


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    path = _written(tmp_path, "profiles:\n- {match: '*'}\nworkers: {processes: 0}\nrecording: x\n")
    with pytest.raises(SettingsError) as caught:
        load_deployment(path)
    told = str(caught.value)
    assert str(path) in told
    assert "required, but not there @ $.profiles[0].profile" in told
    assert "@ $.workers.processes" in told
    assert "no such setting @ $.recording" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [("- a\n", "expected a mapping at the top, found list"), ("a: [", "is not YAML"), ("\x00", "is not YAML")],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_deployment(_written(tmp_path, text))


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path / "absent.yaml"))
    with pytest.raises(SettingsError, match="cannot be read"):
        load_deployment()


def test_without_a_file_the_defaults_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    default = tmp_path / "var" / "deployment.yaml"
    monkeypatch.delenv("BAGMILL_DEPLOYMENT", raising=False)
    monkeypatch.setattr(pipelines.deployment, "DEFAULT_PATH", default)
    with caplog.at_level(logging.WARNING):
        deployment = load_deployment()
    assert deployment.recordings == tmp_path / "var" / "recordings"
    assert str(default) in caplog.text
    assert str(deployment.recordings) in caplog.text


def test_the_example_shows_every_setting() -> None:
    path = ROOT / "examples" / "deployment.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert load_deployment(path)
    assert set(content) == set(bagmill.deployment.Deployment.model_fields)
    assert set(content["workers"]) == set(bagmill.deployment.WorkerSettings.model_fields)
    assert set(content["arrivals"]) == set(bagmill.deployment.ArrivalSettings.model_fields)
    assert set(content["media"]) == set(bagmill.deployment.MediaSettings.model_fields)
    assert set(content["alerts"]) == set(bagmill.deployment.AlertSettings.model_fields)
    assert set(content["nights"]) == set(bagmill.deployment.NightSettings.model_fields)
    assert set(content["profiles"][0]) == set(bagmill.deployment.ProfileChoice.model_fields)


def test_addresses_are_checked(tmp_path: Path) -> None:
    media = load_deployment(_written(tmp_path, "media: {url: 'https://look.example/robots/'}\n")).media
    assert media.url == "https://look.example/robots"
    for url in ("look.example:3001", "ftp://look.example", "http://", "http://look.example?a=b"):
        with pytest.raises(SettingsError, match=r"expected an address such as .* @ \$\.media\.url"):
            load_deployment(_written(tmp_path, f"media: {{url: '{url}'}}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "alerts: https://chat.example/hooks/S3CRET",
        "alerts: {webhook: [https://chat.example/hooks/S3CRET]}",
        "web: {port: 'https://user:S3CRET@h'}",
        "media: S3CRET",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_deployment(_written(tmp_path, text))
    assert "S3CRET" not in str(caught.value)


def test_a_choice_that_there_is_not_is_told_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"expected 'at_once' or 'at_night', found 'hourly' @ \$\.arrivals\.ingest"):
        load_deployment(_written(tmp_path, "arrivals: {ingest: hourly}"))
