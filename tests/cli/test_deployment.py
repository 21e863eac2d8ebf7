"""`bagmill deployment check`: what it says of a deployment's file."""

import json
from pathlib import Path

import pytest

from bagmill.cli.app import run
from bagmill.testing import healthy, write_small_profile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recordings" / "arm").mkdir(parents=True)
    healthy(tmp_path / "recordings" / "arm" / "a.mcap")
    healthy(tmp_path / "recordings" / "b.mcap")
    write_small_profile(tmp_path / "small.yaml")
    return tmp_path


def _check(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[str]]]:
    path = folder / "deployment.yaml"
    path.write_text(text)
    code = run(["deployment", "check", str(path), "--json"])
    found: dict[str, list[str]] = {}
    for each in json.loads(capsys.readouterr().out)["findings"]:
        found.setdefault(f"{each['state']} {each['place']}", []).append(each["text"])
    return code, found


def test_a_deployment_that_is_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media = "media: {url: 'http://robots.example:3001', dagster_url: 'http://robots.example:3000'}\n"
    code, found = _check(folder, "profiles: [{match: '*', profile: small.yaml}]\n" + media, capsys)
    assert code == 0
    assert {place.split()[0] for place in found} <= {"ok", "warning"}
    assert found["ok $.profiles[0].match"] == ["`*` is for 2 recordings."]
    assert "2 recordings" in found["ok $.recordings"][0]


def test_what_will_not_work_is_told_with_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dataset").write_text("a file")
    rules = [
        "{match: 'arm/*', profile: gone.yaml, robot: {folder: 2}}",
        "{match: 'arm/*.mcap', profile: small.yaml}",
        "{match: 'leg/*', profile: small.yaml}",
    ]
    code, found = _check(folder, f"profiles: [{', '.join(rules)}]\nworkers: {{processes: 999}}\n", capsys)
    assert code == 1
    assert "is a file, not a folder" in found["error $.dataset"][0]
    assert "gone.yaml: cannot be read" in found["error $.profiles[0].profile"][0]
    assert "1 recording, such as arm/a.mcap, not below 2 folders" in found["error $.profiles[0].robot"][0]
    assert "the rules before it take all of its 1" in found["warning $.profiles[1].match"][0]
    assert "no recording's path matches it" in found["warning $.profiles[2].match"][0]
    assert "no rule is for 1 recording, such as b.mcap" in found["error $.profiles"][0]
    assert "999 episodes at once" in found["warning $.workers.processes"][0]
    assert "work on this machine alone" in found["warning $.media.url"][0]


def test_a_wrong_file_is_wrong_usage_and_every_mistake_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "deployment.yaml"
    path.write_text("recording: x\nlimits: {pixel: 3}\n")
    assert run(["deployment", "check", str(path)]) == 2
    said = capsys.readouterr().err
    assert "no such setting @ $.recording" in said
    assert "no such setting @ $.limits.pixel" in said


def test_the_environment_names_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "deployment.yaml"
    path.write_text("profiles: [{match: '*', profile: small.yaml}]\n")
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(path))
    assert run(["deployment", "check"]) == 0
    assert "0 mistakes, 2 warnings" in capsys.readouterr().out
    monkeypatch.delenv("BAGMILL_DEPLOYMENT")
    assert run(["deployment", "check"]) == 2
    assert "no file is named" in capsys.readouterr().err
