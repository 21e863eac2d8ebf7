"""The entry in front of Dagster's own web application, spoken to byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

import dagster as dg
import pytest
from dagster_graphql.schema import create_schema
from graphql import GraphQLObjectType
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pipelines.web.guard import MAX_BODY_BYTES
from tests.web.conftest import Door, House

ADD = "mutation Add($key: String!) { setConcurrencyLimit(concurrencyKey: $key, limit: 1) }"
ADD_INLINE = ADD.replace("($key: String!)", "").replace("$key", '"stranger"')
JSON = "Content-Type: application/json"
REPORTS = (
    "/report_asset_check/recording?check_name=rates&passed=false",
    "/report_asset_materialization/recording?partition=stranger",
    "/report_asset_observation/recording",
)

Unchanged = Callable[[], None]


def add(door: Door, key: str, *headers: str, **kwargs: str) -> int:
    body = json.dumps({"query": ADD, "variables": {"key": key}, "operationName": "Add"})
    return door.ask("POST", "/graphql", JSON, *headers, body=body, **kwargs).status


@pytest.mark.parametrize("door", ["open", "read_only"])
def test_the_pages_are_there(house: House, door: str) -> None:
    server: Door = getattr(house, door)
    page = server.ask("GET", "/")
    assert page.status == 200
    assert "<html" in page.body
    assert server.ask("GET", "/server_info").status == 200
    assert json.loads(server.graphql("{ version __schema { queryType { name } } }").body)["data"]["version"]
    for name, value in {
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }.items():
        assert page.headers[name] == value
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "script-src" in page.headers["content-security-policy"], "Dagster's own stays"
    assert page.headers["cache-control"] == "no-store"
    assert "server" not in page.headers
    assert server.graphql("{ version }").headers["cache-control"] == "no-store"


def test_its_own_pages_and_programs_change_things(house: House) -> None:
    door = house.open
    own = f"Origin: http://{door.host}"
    assert add(door, "program") == 200
    assert add(door, "page", own, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors") == 200
    assert add(door, "tunnel", "Origin: http://localhost:9999", host="localhost:9999") == 200
    assert add(door, "proxy", "Origin: https://look.example", host="look.example") == 200
    assert add(door, "named", "Origin: http://robots.example", host="robots.example") == 200
    assert {"program", "page", "tunnel", "proxy", "named"} <= house.instance.event_log_storage.get_concurrency_keys()
    report = door.ask("POST", REPORTS[0], JSON, own, body="{}")
    assert (report.status, report.body) == (200, "{}")
    key = dg.AssetCheckKey(dg.AssetKey("recording"), "rates")
    assert len(house.instance.event_log_storage.get_asset_check_execution_history(key, limit=5)) == 1


QUERIES = [
    urlencode({"query": ADD_INLINE}),
    urlencode({"query": ADD, "variables": json.dumps({"key": "stranger"}), "operationName": "Add"}),
    urlencode([("query", "{ version }"), ("query", ADD_INLINE)]),
    urlencode([("query", ADD_INLINE), ("query", "{ version }")]),
    urlencode({"query": f"query Look {{ version }} {ADD_INLINE}", "operationName": "Add"}),
    "q%75ery=" + quote(ADD_INLINE),
    urlencode({"query": "{ version }"}),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/graphql", "/%67raphql", "/graphql/", "//graphql", "/./graphql", "/GRAPHQL"])
def test_nothing_is_changed_by_get(house: House, unchanged: Unchanged, method: str, path: str) -> None:
    for query in QUERIES:
        for accept in ("Accept: */*", "Accept: text/html"):
            answer = house.open.ask(method, f"{path}?{query}", accept)
            assert "setConcurrencyLimit" not in answer.body
            if path in ("/graphql", "/%67raphql"):
                assert answer.status == 405


@pytest.mark.parametrize("kind", [None, "text/plain", "text/plain; application/json", "application/graphql", "x/y"])
@pytest.mark.parametrize("is_in_address", [True, False])
def test_nothing_is_changed_but_by_json(
    house: House, unchanged: Unchanged, kind: str | None, is_in_address: bool
) -> None:
    path = "/graphql?" + urlencode({"query": ADD_INLINE}) if is_in_address else "/graphql"
    headers = [] if kind is None else [f"Content-Type: {kind}"]
    for body in (ADD_INLINE, json.dumps({"query": ADD_INLINE}), urlencode({"query": ADD_INLINE})):
        assert house.open.ask("POST", path, *headers, body=body).status == 415
    for report in REPORTS:
        assert house.open.ask("POST", report, *headers).status == 415


def test_forms_and_files_are_not_taken(house: House, unchanged: Unchanged) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{ADD_INLINE}\r\n--x--\r\n'
    assert house.open.ask("POST", "/graphql", "Content-Type: multipart/form-data; boundary=x", body=part).status == 415
    form = urlencode({"query": ADD_INLINE})
    kind = "Content-Type: application/x-www-form-urlencoded"
    assert house.open.ask("POST", "/graphql", kind, body=form).status == 415
    # Two of a kind: which of them is read differs from reader to reader.
    assert (
        house.open.ask("POST", "/graphql", "Content-Type: text/plain", JSON, body=json.dumps({"query": ADD})).status
        == 400
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "1",
        json.dumps([{"query": ADD_INLINE}]),
        '{"query": 1}',
        "[" * 100_000,
        '{"query": "{ version }", "variables": NaN}',
    ],
)
def test_what_is_no_request_is_told(house: House, unchanged: Unchanged, body: str) -> None:
    answer = house.open.ask("POST", "/graphql", JSON, body=body)
    assert answer.status == 400
    assert answer.body.count("\n") == 1, "one sentence"


STRANGE = [
    ("Origin: http://evil.example",),
    ("Origin: null",),
    ("Origin: ",),
    ("Origin: http://127.0.0.1:1",),
    ("Origin: http://localhost:{port}",),
    ("Origin: https://127.0.0.1:{port}",),
    ("Origin: http://127.0.0.1:{port}.evil.example",),
    ("Sec-Fetch-Site: cross-site",),
    ("Sec-Fetch-Site: same-site",),
    ("Sec-Fetch-Site: none, cross-site",),
    ("Sec-Fetch-Site: Same-Origin",),
    ("Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: cross-site"),
    ("Origin: http://evil.example", "Sec-Fetch-Site: same-origin"),
    ("Origin: http://evil.example", "X-Forwarded-Host: evil.example"),
]


@pytest.mark.parametrize("headers", STRANGE)
def test_a_stranger_s_page_changes_nothing(house: House, unchanged: Unchanged, headers: tuple[str, ...]) -> None:
    door = house.open
    said = [header.format(port=door.port) for header in headers]
    assert add(door, "stranger", *said) == 403
    for report in REPORTS:
        assert door.ask("POST", report, JSON, *said, body="{}").status == 403
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{door.host}/graphql", additional_headers=[tuple(each.split(": ", 1)) for each in said])
    assert refused.value.response.status_code == 403


def test_two_origins_are_none(house: House, unchanged: Unchanged) -> None:
    own = f"Origin: http://{house.open.host}"
    assert add(house.open, "stranger", own, "Origin: http://evil.example") == 400
    assert add(house.open, "stranger", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site") == 400


def test_a_name_that_is_not_ours_gets_nothing(house: House, unchanged: Unchanged) -> None:
    door = house.open
    evil = f"evil.example:{door.port}"
    for path in ("/", "/server_info", "/graphql", "/favicon.png", "/logs/x", "/assets/episode"):
        answer = door.ask("GET", path, host=evil)
        assert answer.status == 421
        assert "`web.hosts`" in answer.body
    assert add(door, "stranger", f"Origin: http://{evil}", "Sec-Fetch-Site: same-origin", host=evil) == 421
    assert add(door, "stranger", "X-Forwarded-Host: 127.0.0.1", "Forwarded: host=127.0.0.1", host=evil) == 421
    for host in ("0.0.0.0:{}", "[::]:{}", "127.0.0.1.evil.example:{}"):
        assert door.ask("GET", "/", host=host.format(door.port)).status == 421
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{door.host}/graphql", additional_headers={"Host": evil, "Origin": f"http://{evil}"})
    assert refused.value.response.status_code in (400, 403), "two names at once, or one that is not ours"


def test_a_name_has_to_be_told_once(house: House, unchanged: Unchanged) -> None:
    door, end = house.open, b"Connection: close\r\n\r\n"
    host = f"Host: {door.host}\r\n".encode()
    assert door.say(b"GET / HTTP/1.1\r\n" + end).status == 400
    assert door.say(b"GET / HTTP/1.0\r\n\r\n").status == 400
    assert door.say(b"GET / HTTP/1.1\r\nHost:\r\n" + end).status == 400
    assert door.say(b"GET / HTTP/1.1\r\n" + host + b"Host: evil.example\r\n" + end).status == 400
    assert door.say(b"GET / HTTP/1.1\r\n" + host + host + end).status == 400
    assert door.say(b"GET /server_info HTTP/1.0\r\n" + host + b"\r\n").status == 200


def test_it_is_no_proxy(house: House, unchanged: Unchanged) -> None:
    door = house.open
    for target in ("http://evil.example/graphql", f"http://{door.host}/graphql?query=x", "*", "evil.example:443"):
        assert door.ask("GET", target).status == 400
        assert door.ask("POST", target, JSON, body=json.dumps({"query": ADD_INLINE})).status == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post", "CONNECT"])
def test_no_other_method(house: House, unchanged: Unchanged, method: str) -> None:
    preflight = ("Origin: http://evil.example", "Access-Control-Request-Method: POST", JSON)
    answer = house.open.ask(method, "/graphql", *preflight, body=json.dumps({"query": ADD_INLINE}))
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert house.open.ask("POST", "/assets/episode", JSON, body="{}").status == 405


def test_others_pages_have_no_part_of_ours(house: House) -> None:
    door = house.open
    for site in ("cross-site", "same-site"):
        for mode, dest in (
            ("no-cors", "script"),
            ("no-cors", "image"),
            ("cors", "empty"),
            ("navigate", "iframe"),
            ("no-cors", ""),
        ):
            marks = (f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {dest}")
            assert door.ask("GET", "/server_info", *marks).status == 403
        link = (f"Sec-Fetch-Site: {site}", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
        assert door.ask("GET", "/assets/episode", *link).status == 200, "a link that is followed"
    assert door.ask("GET", "/server_info", "Origin: http://evil.example").status == 403
    assert door.ask("GET", "/server_info", "Origin: null").status == 403


def test_no_more_is_read_than_a_request_may_have(house: House, unchanged: Unchanged) -> None:
    door = house.open
    head = f"POST /graphql HTTP/1.1\r\nHost: {door.host}\r\n{JSON}\r\nConnection: close\r\n".encode()
    assert door.say(head + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)).status == 413
    piece = b"%x\r\n%b\r\n" % (2**20, b" " * 2**20)
    assert door.say(head + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 16 + b"1\r\n \r\n").status == 413
    large = json.dumps({"query": "{ version }", "variables": {"x": "y" * (MAX_BODY_BYTES - 1000)}})
    assert door.ask("POST", "/graphql", JSON, body=large).status == 200


def test_what_is_listened_to_is_only_told(house: House, unchanged: Unchanged) -> None:
    """Dagster answers a mutation that comes over a WebSocket, and does not carry it out."""
    door = house.open
    with connect(f"ws://{door.host}/graphql", subprotocols=["graphql-ws"], origin=f"http://{door.host}") as page:
        page.send(json.dumps({"type": "connection_init"}))
        assert json.loads(page.recv(20)) == {"type": "connection_ack"}
        for number, query in enumerate(
            (ADD_INLINE, f"subscription S {{ captureLogs(logKey: []) {{ cursor }} }} {ADD_INLINE}")
        ):
            payload = {"query": query, "operation_name": "Add"}
            page.send(json.dumps({"type": "start", "id": str(number), "payload": payload}))
            assert json.loads(page.recv(20))["type"] == "error"
    with pytest.raises(InvalidStatus):
        connect(f"ws://{door.host}/elsewhere", origin=f"http://{door.host}")


def test_read_only_takes_no_mutation_there_is(house: House, unchanged: Unchanged) -> None:
    door = house.read_only
    mutations = create_schema().graphql_schema.mutation_type
    assert isinstance(mutations, GraphQLObjectType)
    assert "launchRun" in mutations.fields
    for name in mutations.fields:
        assert door.graphql(f"mutation {{ {name} }}").status == 403
    for query in (
        ADD_INLINE,
        f"{{ version }} {ADD_INLINE}",
        f"query Look {{ version }} {ADD_INLINE}",
        "fragment F on Mutation { setNuxSeen } mutation { ...F }",
        "subscription { locationStateChangeEvents { __typename } }",
        "mutation\ufeff { setNuxSeen }",
        "#\rmutation { setNuxSeen }",
    ):
        assert door.graphql(query).status in (400, 403)
    # Of one name twice, the last counts, here as for Dagster.
    twice = '{"query": "{ version }", "query": ' + json.dumps(ADD_INLINE) + "}"
    assert door.ask("POST", "/graphql", JSON, body=twice).status == 403
    for report in REPORTS:
        assert door.ask("POST", report, JSON, body="{}").status == 403
    for nested in ("{ a" * 5000 + "}" * 5000, "{ " + "version " * 30_000 + "}", "{", ""):
        assert door.graphql(nested).status == 400


def test_read_only_still_shows(house: House) -> None:
    assert house.read_only.graphql(
        "query Look { version } query Other { instance { id } }", operationName="Look"
    ).status in (200, 400)
    answer = house.read_only.graphql("{ assetsOrError { ... on AssetConnection { nodes { key { path } } } } }")
    assert answer.status == 200
    assert "errors" not in json.loads(answer.body)


def test_dagster_itself_refuses_where_it_only_shows(house: House, unchanged: Unchanged) -> None:
    """Our refusal comes first; behind it stands Dagster's own."""
    permissions = "{ permissions { permission value } }"
    allowed = {
        name: {
            each["permission"]
            for each in json.loads(door.graphql(permissions).body)["data"]["permissions"]
            if each["value"]
        }
        for name, door in (("open", house.open), ("read_only", house.read_only))
    }
    assert "launch_pipeline_execution" in allowed["open"]
    assert allowed["read_only"] == set()
