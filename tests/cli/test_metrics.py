from collections.abc import Callable
from typing import Any

from bagmill.quality import METRICS

Command = Callable[..., Any]


def test_every_metric_is_listed(command: Command) -> None:
    answer = command("metrics")
    assert answer.code == 0
    rows = {line.split()[0]: line for line in answer.out.splitlines() if line.strip()}
    for name in METRICS:
        assert METRICS[name].description in rows[name]
        assert f" {METRICS[name].stage} " in rows[name]
    assert "≥ 36 dB" in rows["jpeg_psnr"]


def test_json_has_every_field_of_every_metric(command: Command) -> None:
    listed = {metric["name"]: metric for metric in command("metrics", "--json").document["metrics"]}
    assert listed.keys() == set(METRICS)
    for name in METRICS:
        fields = ("stage", "unit", "direction", "threshold", "severity", "description")
        assert {key: listed[name][key] for key in fields} == {key: getattr(METRICS[name], key) for key in fields}
