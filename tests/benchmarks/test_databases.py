"""The benchmark runs at a tiny size against a real server."""

import json
from pathlib import Path

import pytest

from benchmarks.databases.__main__ import main
from benchmarks.databases.stores import STORES
from tests.postgres import running_server, why_not


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.slow  # a server, and every store with each of Dagster's own classes
def test_a_tiny_run_has_both_tables(tmp_path: Path) -> None:
    file = tmp_path / "databases.json"
    sizes = ["--rounds", "1", "--episodes", "1", "--writers", "1", "--folder", str(tmp_path), "--json", str(file)]
    with running_server() as server:
        assert main([*sizes, "--postgres-url", server.url("postgres")]) == 0
        assert "bagmill_" not in server.query("postgres", "SELECT datname FROM pg_database")
    latency, size = json.loads(file.read_text())["tables"]
    assert [row["store"] for row in latency["rows"]] == list(STORES)
    assert all(row["median_ms"] > 0 and row["num_refused"] == 0 for row in latency["rows"])
    assert [row["store"] for row in size["rows"]] == ["SQLite", "PostgreSQL"]
    assert all(row["mb_per_1000"] > 1 for row in size["rows"])
