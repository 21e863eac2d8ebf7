"""The asset `configuration`, which nothing materialises: its page in the web UI says which settings are in force."""

from __future__ import annotations

from typing import Final

import dagster as dg
import yaml

from assets.markdown import md_page, md_text
from bagmill.cli.wording import stamp_text
from pipelines.last_good import InForce

NAME: Final = "configuration"


def configuration_spec(in_force: InForce) -> dg.AssetSpec:
    """The asset of a deployment's settings: what is wrong with its file comes first."""
    return dg.AssetSpec(
        NAME,
        group_name="dataset",  # a second group would have the graph shown folded
        kinds={"yaml"},
        description=_page(in_force),
        metadata={
            "path": dg.MetadataValue.path(str(in_force.path)),
            "is_in_force": in_force.problem is None,
            **({} if in_force.problem is None else {"problem": in_force.problem}),
        },
    )


def _page(in_force: InForce) -> str:
    settings = in_force.deployment.model_dump(mode="json")
    settings["alerts"]["webhook"] = "set" if settings["alerts"]["webhook"] else None  # its address is a secret
    return md_page(
        _headline(in_force),
        "Change the file, run `bagmill deployment check` over it, then press *Reload* under *Deployment*.",
        f"```yaml\n{yaml.safe_dump(settings, sort_keys=False)}```",
    )


def _headline(in_force: InForce) -> str:
    if in_force.problem is None and not in_force.path.exists():
        return f"There is no `{in_force.path}`, so that the defaults of all settings are in force:"
    if in_force.problem is None or in_force.taken_ns is None:
        return f"What `{in_force.path}` says is in force:"
    since = stamp_text(in_force.taken_ns)
    return f"**The file is wrong and not in force: {md_text(in_force.problem)}** What it said on {since} holds on:"
