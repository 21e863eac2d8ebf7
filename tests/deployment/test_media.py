"""The media server, asked over a real socket by a client that sends paths as they stand."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, put_quarantine, save_report
from bagmill.deployment import MediaSettings
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.quality import METRICS
from bagmill.testing import healthy, small_profile, with_gap
from pipelines.deployment import ROOT
from pipelines.media.__main__ import main
from pipelines.media.app import build_app
from pipelines.web.serving import make_server
from resources.media import MediaServer
from resources.media_urls import CONTACT_SHEET, DEPTH, FILM, RATES, REPORT, SKEW, SMALL_SHEET, file_path, page_path

TYPES = {
    FILM: "video/mp4",
    CONTACT_SHEET: "image/jpeg",
    SMALL_SHEET: "image/avif",
    DEPTH: "image/jpeg",
    RATES: "image/png",
    SKEW: "image/png",
    REPORT: "application/json",
}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Sends what it is told, character by character: no path is tidied up on the way."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            return Answer(connection.getresponse())
        finally:
            connection.close()


@contextmanager
def serving(dataset: Path, settings: MediaSettings | None = None) -> Iterator[Client]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(build_app(Dataset(dataset), settings or MediaSettings(), hosts=["robots"]))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Client(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A dataset with a healthy episode and one that was refused, and the healthy one's version."""
    folder = tmp_path_factory.mktemp("media")
    outcomes = []
    for name, build in (("a.mcap", healthy), ("b_gap.mcap", with_gap)):
        build(folder / name)
        outcomes.append(
            ingest(
                IngestRequest(
                    episode=name,
                    recording=folder / name,
                    dataset=folder / "dataset",
                    profile=parse_profile(small_profile()),
                )
            )
        )
    assert outcomes[0].refusal is None
    assert outcomes[1].refusal is not None
    return folder / "dataset", str(outcomes[0].report.version)


@pytest.fixture(scope="module")
def client(made: tuple[Path, str]) -> Iterator[Client]:
    with serving(made[0]) as client:
        yield client


def _report(episode: str, version: str = "v1", **more: object) -> EpisodeReport:
    report = EpisodeReport(episode, version, "/recordings/x", "small", requested_ns=1)
    return replace(report, **more)


def test_every_file_has_its_type_and_is_kept_for_ever(client: Client, made: tuple[Path, str]) -> None:
    dataset, version = made
    for name, kind in TYPES.items():
        answer = client.get(file_path("a.mcap", version, name))
        assert answer.status == 200
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        if name == REPORT:
            assert answer.headers["cache-control"] == "private, no-cache", "it says when the version was last asked for"
        else:
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    film = client.get(file_path("a.mcap", version, FILM))
    assert film.body == Dataset(dataset).preview_path("a.mcap", version).read_bytes()
    assert json.loads(client.get(file_path("a.mcap", version, REPORT)).text)["version"] == version
    for name in (CONTACT_SHEET, SMALL_SHEET, DEPTH, RATES, SKEW):
        Image.open(BytesIO(client.get(file_path("a.mcap", version, name)).body)).verify()


def test_a_film_is_given_in_the_ranges_a_browser_asks_for(client: Client, made: tuple[Path, str]) -> None:
    dataset, version = made
    whole = Dataset(dataset).preview_path("a.mcap", version).read_bytes()
    path = file_path("a.mcap", version, FILM)

    first = client.get(path, range="bytes=0-99")
    assert (first.status, first.body) == (206, whole[:100])
    assert first.headers["content-range"] == f"bytes 0-99/{len(whole)}"
    rest = client.get(path, range=f"bytes={len(whole) - 50}-")
    assert (rest.status, rest.body) == (206, whole[-50:])
    last = client.get(path, range="bytes=-10")
    assert (last.status, last.body) == (206, whole[-10:])
    assert client.get(path, range=f"bytes={len(whole)}-").status == 416
    head = client.get(path, method="HEAD")
    assert (head.headers["accept-ranges"], int(head.headers["content-length"])) == ("bytes", len(whole))
    assert client.get(path, range="bytes=0-9", if_range='"another"').status == 200, "another film: all of it"


def test_what_a_browser_has_is_not_sent_again(client: Client, made: tuple[Path, str]) -> None:
    path = file_path("a.mcap", made[1], REPORT)
    etag = client.get(path).headers["etag"]
    again = client.get(path, if_none_match=etag)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert client.get(path, if_none_match='"another"').status == 200


def test_the_page_of_a_version_shows_it_all(client: Client, made: tuple[Path, str]) -> None:
    _, version = made
    page = client.get(page_path("a.mcap", version))
    assert page.status == 200
    for name in (FILM, CONTACT_SHEET, DEPTH, RATES, SKEW, REPORT):
        assert f'"{file_path("a.mcap", version, name)}"' in page.text
    assert "<video" in page.text
    assert "http://127.0.0.1:3000/assets/episode?view=partitions&amp;partition=a.mcap" in page.text
    assert "three joints, two cameras" in page.text
    told = [name for name in METRICS if name != "salvaged"]  # which is told of what was salvaged alone
    assert page.text.count('<span class="good">passed</span>') == len(told)
    assert "script" not in page.headers["content-security-policy"].replace("default-src 'none'", "")
    assert "<script" not in page.text


def test_a_refused_episode_says_why_and_shows_what_there_is(client: Client) -> None:
    there = client.get("/episodes/b_gap.mcap")
    assert there.status == 307
    page = client.get(there.headers["location"])
    assert "Refused at stage" in page.text
    assert 'class="bad">failed' in page.text
    assert "rates.png" in page.text


def test_the_list_leads_to_every_page(client: Client, made: tuple[Path, str]) -> None:
    page = client.get("/")
    assert "2 episodes" in page.text
    assert 'href="/episodes/a.mcap"' in page.text
    assert '<span class="good">good</span>' in page.text
    assert "refused at stage" in page.text
    assert client.get("/episodes/a.mcap").headers["location"] == page_path("a.mcap", made[1])


def test_what_is_not_there_is_told_in_a_sentence(client: Client, made: tuple[Path, str]) -> None:
    _, version = made
    sentences = {
        "/episodes/absent": "No episode is called absent.",
        "/episodes/a.mcap/0123": "There is no version 0123 of an episode a.mcap.",
        file_path("a.mcap", version, "other.txt"): f"There is no other.txt of version {version} of an episode a.mcap.",
        file_path("absent", version, FILM): f"There is no film.mp4 of version {version} of an episode absent.",
        "/elsewhere": "There is no such page.",
        "/episodes/": "There is no such page.",
    }
    for path, sentence in sentences.items():
        answer = client.get(path)
        assert answer.status == 404
        assert f"<h1>{sentence}</h1>" in answer.text
        assert answer.headers["cache-control"] == "private, no-cache", "it may be there tomorrow"
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        posted = client.get("/", method=method)
        assert (posted.status, "takes nothing in" in posted.text) == (405, True)


def test_no_page_of_others_has_a_part_of_it(client: Client, made: tuple[Path, str]) -> None:
    film = file_path("a.mcap", made[1], FILM)
    for path in ("/", film, "/elsewhere"):
        own = client.get(path, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="video")
        link = client.get(path, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
        assert own.status == link.status == client.get(path).status != 403
        for name, value in {
            "cross-origin-resource-policy": "same-origin",
            "x-frame-options": "DENY",
            "x-content-type-options": "nosniff",
        }.items():
            assert own.headers[name] == value
        assert own.headers["cache-control"].startswith("private")
        assert "frame-ancestors 'none'" in own.headers["content-security-policy"]
        for site in ("same-site", "cross-site"):
            for mode, dest in (("no-cors", "video"), ("no-cors", "image"), ("navigate", "iframe"), ("cors", "empty")):
                marks = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}
                assert client.get(path, **marks).status == 403
        assert client.get(path, Origin="http://evil.example").status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.1", "robots.evil.example"])
def test_it_answers_to_no_name_of_a_stranger(client: Client, host: str) -> None:
    assert f"does not answer to the name {host}" in client.get("/", Host=f"{host}:{client.port}").text
    assert client.get("/", Host=f"robots:{client.port}").status == 200


def test_text_of_recordings_stays_text(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    save_report(dataset, _report("x", task="<script>alert(1)</script>", robot="<b>r</b>"))
    put_quarantine(dataset, QuarantineEntry("x", "/r", stage="recording", reason="<img src=y>.", since_ns=1))
    with serving(tmp_path) as client:
        for path in ("/", "/?find=%3Cscript%3E%22x", page_path("x", "v1"), "/episodes/%3Cscript%3E"):
            answer = client.get(path)
            assert "<script>" not in answer.text
            assert "<b>r</b>" not in answer.text
            assert "<img src=y>" not in answer.text


@pytest.fixture(scope="module")
def guarded(made: tuple[Path, str]) -> tuple[Path, str]:
    """The dataset with things outside it that names and links could lead to."""
    dataset, version = made
    secret = dataset.parent / "secret"
    secret.mkdir()
    for name in ("v1.mp4", "v1.json", f"{version}.mp4"):
        (secret / name).write_text("secret")
    previews = dataset / "previews"
    (previews / "linked").symlink_to(secret)
    (previews / "a.mcap" / "file.mp4").symlink_to(secret / "v1.mp4")
    (previews / "a.mcap" / "circle.mp4").symlink_to(previews / "a.mcap" / "circle.mp4")
    (previews / "a.mcap" / "folder.mp4").mkdir()
    (previews / "a.mcap" / "twin.mp4").symlink_to(previews / "a.mcap" / f"{version}.mp4")
    (dataset / "reports" / "linked").symlink_to(secret)
    (dataset / "quarantine").mkdir(exist_ok=True)
    (dataset / "quarantine" / "linked.json").symlink_to(secret / "v1.json")
    return dataset, version


@pytest.mark.parametrize(
    "path",
    [
        "/files/../../secret/v1.mp4",
        "/files/../secret/v1/film.mp4",
        "/files/a.mcap/../../../secret/v1/film.mp4",
        "/files/%2e%2e/v1/film.mp4",
        "/files/a.mcap/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret%2fv1/film.mp4",
        "/files/..%2f..%2fsecret/v1/film.mp4",
        "/files/%252e%252e%252f%252e%252e%252fsecret/v1/film.mp4",
        "/files/..%5c..%5csecret/v1/film.mp4",
        "/files/a.mcap/v1%00/film.mp4",
        "/files/%00/v1/film.mp4",
        "/files/a.mcap/.hidden/film.mp4",
        "/files/a.mcap/v1/..%2f..%2fsecret%2fv1.mp4",
        "/files/" + 300 * "x" + "/v1/film.mp4",
        "/files/%ff%fe/v1/film.mp4",
        "/files/linked/v1/film.mp4",
        "/files/linked/v1/report.json",
        "/files/a.mcap/file/film.mp4",
        "/files/a.mcap/circle/film.mp4",
        "/files/a.mcap/folder/film.mp4",
        "/episodes/linked/v1",
        "/episodes/%2e%2e/v1",
        "/episodes/..%2f..%2fsecret",
        "//etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_dataset(client: Client, guarded: tuple[Path, str], path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert b"secret" not in answer.body.replace(b"..", b"").split(b"<h1>")[0]
    assert answer.body != b"secret"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_link_within_the_dataset_is_a_file_of_it(client: Client, guarded: tuple[Path, str]) -> None:
    dataset, version = guarded
    whole = Dataset(dataset).preview_path("a.mcap", version).read_bytes()
    assert client.get("/files/a.mcap/twin/film.mp4").body == whole


def test_a_damaged_report_costs_the_facts_not_the_pictures(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    for path in (dataset.report_path("x", "v1"), dataset.preview_path("x", "v1")):
        path.parent.mkdir(parents=True)
        path.write_text("{")
    with serving(tmp_path) as client:
        page = client.get(page_path("x", "v1"))
        assert page.status == 200
        assert "is no report" in page.text
        assert "<video" in page.text
        assert "its report cannot be read" in client.get("/").text


def test_ten_thousand_episodes_are_paged(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    save_report(dataset, _report("run00000", robot="left"))
    report = dataset.report_path("run00000", "v1")
    for n in range(1, 10_000):
        folder = f"{dataset.reports_dir}/run{n:05}"
        os.mkdir(folder)  # noqa: PTH102 - ten thousand times
        os.link(report, f"{folder}/v1.json")
    with serving(tmp_path) as client:
        first = client.get("/").text
        assert "10,000 episodes" in first
        assert "Page 1 of 200" in first
        assert first.count("<tr>") == 51
        middle = client.get("/?page=100").text
        assert "run04950" in middle
        assert "run04999" in middle
        assert "page=99" in middle
        assert "page=101" in middle
        last = client.get("/?page=200").text
        assert "run09999" in last
        assert 'rel="next"' not in last
        assert "Page 200 of 200" in client.get("/?page=999999999").text
        found = client.get("/?find=RUN0123").text
        assert "10 episodes" in found
        assert "run01239" in found
        page = client.get(page_path("run05000", "v1")).text
        assert 'rel="prev" href="/episodes/run04999"' in page
        assert 'rel="next" href="/episodes/run05001"' in page


@pytest.mark.parametrize("page", ["-1", "x", "0", "1e3", "%D9%A3", "", 5000 * "9", "1&page=2", "%00"])
def test_a_page_that_is_no_number_is_the_first(client: Client, page: str) -> None:
    assert "Page 1 of 1" in client.get(f"/?page={page}").text


def test_several_versions_stand_side_by_side(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    save_report(dataset, _report("x", "v1", requested_ns=5))
    save_report(dataset, _report("x", "v2", requested_ns=9, profile="other"))
    with serving(tmp_path) as client:
        assert client.get("/episodes/x").headers["location"] == page_path("x", "v2")
        page = client.get(page_path("x", "v1")).text
        assert f'href="{page_path("x", "v2")}"' in page
        assert "profile other" in page


def test_a_recording_that_is_there_twice_leads_to_the_episode(tmp_path: Path) -> None:
    save_report(Dataset(tmp_path), _report("again", duplicate_of="first"))
    with serving(tmp_path) as client:
        assert "no episode of its own" in client.get("/").text
        assert 'as episode <a href="/episodes/first">first</a>' in client.get("/episodes/again/v1").text


def test_an_episode_without_a_version_says_why(tmp_path: Path) -> None:
    put_quarantine(Dataset(tmp_path), QuarantineEntry("x", "/r", stage="recording", reason="It is empty.", since_ns=1))
    with serving(tmp_path) as client:
        page = client.get("/episodes/x")
        assert page.status == 200
        assert "It is empty." in page.text


def test_behind_a_proxy_links_begin_with_its_path(tmp_path: Path) -> None:
    save_report(Dataset(tmp_path), _report("x"))
    settings = MediaSettings(url="https://look.example/media/", dagster_url="https://look.example")
    with serving(tmp_path, settings) as client:
        assert 'href="/media/episodes/x"' in client.get("/").text
        assert client.get("/episodes/x").headers["location"] == "/media/episodes/x/v1"
        assert "https://look.example/assets/episode?" in client.get("/episodes/x/v1").text
    server = MediaServer(url=settings.url)
    assert server.page_url("x", "v1") == "https://look.example/media/episodes/x/v1"
    assert server.file_url("a b", "v1", FILM) == "https://look.example/media/files/a%20b/v1/film.mp4"


def test_nothing_ingested_yet(tmp_path: Path) -> None:
    with serving(tmp_path / "absent") as client:
        assert "Nothing was ingested into this dataset yet." in client.get("/").text


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.media", *arguments]


def test_the_program_serves_what_the_deployment_says(made: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(f"dataset: {made[0]}\nmedia: {{port: 0}}\n")
    with subprocess.Popen(
        _command("--deployment", str(tmp_path / "deployment.yaml")), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert f"over {made[0]}" in said
            address = urlsplit(said.split(" at ")[1].split(",")[0])
            assert address.port
            assert Client(address.port).get(page_path("a.mcap", made[1])).status == 200
        finally:
            process.terminate()
    assert process.returncode in {0, -15}


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deployment.yaml").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--deployment", str(tmp_path / "deployment.yaml"), "--port", port]) == 2
    assert f"Cannot listen at 127.0.0.1, port {port} (Address already in use). Choose" in capsys.readouterr().err


def test_a_deployment_that_is_not_valid_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--deployment", str(tmp_path / "absent.yaml")]) == 2
    assert str(tmp_path / "absent.yaml") in capsys.readouterr().err


def test_its_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for word in ("BAGMILL_DEPLOYMENT", "--port", "media", "password", "python -m pipelines.media"):
        assert word in told


def test_where_the_media_server_cannot_start_neither_does_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deployment.yaml").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path / "deployment.yaml"))
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        ports = [str(each.getsockname()[1]) for each in (free, taken)]
        free.close()
        command = [sys.executable, "-m", "pipelines.ui", "--port", ports[0], "--media-port", ports[1]]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"Cannot listen at 127.0.0.1, port {ports[1]}" in done.stderr
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(ports[0])))


def test_all_that_was_refused_is_listed_reason_and_remedy_first_beyond_any_number(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    dataset.quarantine_dir.mkdir()
    for number in range(601):
        entry = QuarantineEntry(
            f"run_{number:04}", "/r", stage="recording", reason=f"<b>{number}</b>.", since_ns=number, remedy="Mend it"
        )
        put_quarantine(dataset, entry)
    (dataset.quarantine_dir / "run_9999.json").write_text("{")
    with serving(tmp_path) as client:
        first, last = client.get("/quarantine"), client.get("/quarantine?page=4")
        assert "601 episodes refused" in first.text
        row = first.text.index("&lt;b&gt;600&lt;/b&gt;.")
        assert row < first.text.index("Mend it.") < first.text.index('href="/episodes/run_0600"')
        assert "run_0000" in last.text
        assert "run_0001" not in last.text
        assert 'href="/episodes/run_9999"' in first.text
        assert "1 episode refused" in client.get("/quarantine?find=run_0123").text
        assert "Nothing refused is like that." in client.get("/quarantine?find=nothing").text
