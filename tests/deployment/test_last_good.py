"""A mistake in the deployment's file leaves what it said before in force, and is told."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from bagmill.deployment import Deployment
from bagmill.errors import SettingsError
from pipelines.configuration import configuration_spec
from pipelines.definitions import build_defs
from pipelines.deployment import ROOT
from pipelines.last_good import InForce, load_in_force


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "etc" / "deployment.yaml"
    path.parent.mkdir()
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return path


def test_what_the_file_said_before_stays_in_force(file: Path) -> None:
    file.write_text("recordings: ../raw\nworkers: {processes: 3}\n")
    right = load_in_force()
    assert right.problem is None
    file.write_text("recordings: ../raw\nworkers: {proceses: 4}\n")
    wrong = load_in_force()
    assert wrong.deployment == right.deployment
    assert wrong.deployment.recordings == file.parents[1] / "raw"
    assert "no such setting @ $.workers.proceses" in wrong.problem
    file.write_text("workers: {processes: 4}\n")
    mended = load_in_force()
    assert (mended.problem, mended.deployment.workers.processes) == (None, 4)


@pytest.mark.parametrize("text", ["workers: [", "\0", "- a list", "recordings: s3://bucket"])
def test_whatever_is_wrong_with_it(file: Path, text: str) -> None:
    file.write_text("workers: {processes: 3}\n")
    load_in_force()
    file.write_text(text)
    assert load_in_force().deployment.workers.processes == 3


def test_a_file_that_went_leaves_what_it_said(file: Path) -> None:
    file.write_text("workers: {processes: 3}\n")
    load_in_force()
    file.unlink()
    assert load_in_force().deployment.workers.processes == 3


def test_what_another_file_said_is_not_taken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("workers: {processes: 3}\n")
    load_in_force()
    other = file.with_name("other.yaml")
    other.write_text("workers: {proceses: 3}\n")
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(other))
    with pytest.raises(SettingsError, match="no such setting"):
        load_in_force()


def test_a_first_start_with_a_mistake_is_refused(file: Path) -> None:
    file.write_text("workers: {proceses: 3}\n")
    with pytest.raises(SettingsError, match="no such setting"):
        load_in_force()


def test_damage_to_what_was_kept_ends_nothing(file: Path, tmp_path: Path) -> None:
    file.write_text("workers: {processes: 3}\n")
    load_in_force()
    (tmp_path / "home" / "bagmill" / "deployment.json").write_text("{")
    assert load_in_force().problem is None
    file.write_text("workers: [")
    assert load_in_force().deployment.workers.processes == 3, "it was written anew"


def test_the_web_ui_says_what_is_in_force_and_no_secret(file: Path) -> None:
    file.write_text("alerts: {webhook: 'https://chat.example/hooks/T0PS3CRET'}\n")
    load_in_force()
    file.write_text("alerts: {webhok: 'https://chat.example/hooks/T0PS3CRET'}\n")
    in_force = load_in_force()
    defs = build_defs(in_force.deployment, in_force=in_force)
    spec = next(each for each in defs.resolve_all_asset_specs() if each.key == dg.AssetKey("configuration"))
    assert spec.description.startswith("**The file is wrong and not in force:")
    assert "no such setting" in spec.description
    assert spec.metadata["is_in_force"] is False
    assert "T0PS3CRET" not in f"{spec.description} {spec.metadata}"


def test_the_web_ui_says_that_there_is_no_file(tmp_path: Path) -> None:
    spec = configuration_spec(InForce(Deployment(), tmp_path / "absent.yaml"))
    assert spec.description is not None
    assert spec.description.startswith(f"There is no `{tmp_path / 'absent.yaml'}`")


def test_a_server_that_restarts_with_a_mistake_in_the_file_serves_by_what_it_said_before(
    file: Path, tmp_path: Path
) -> None:
    file.write_text("media: {port: 0}\n")
    load_in_force()
    file.write_text("media: {prot: 0}\n")
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.media"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        server.terminate()
        try:
            _, said = server.communicate(timeout=30)
        finally:
            server.kill()
    assert first.startswith("Media server at http://127.0.0.1:")
    assert "no such setting @ $.media.prot" in said
    assert "stays in force" in said
