"""Every drafted feature brought together with the recording it was drafted from: what does not fit is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bagmill.drafts.features import draft_feature
from bagmill.drafts.groups import Group
from bagmill.errors import PlanError, ProfileError
from bagmill.plan import resolve, stamps_wanted
from bagmill.profile import Clock, parse_profile
from bagmill.streams.index import RecordingIndex


def those_that_fit(
    groups: Sequence[Group], *, clock: Clock, index: RecordingIndex
) -> tuple[tuple[Group, ...], list[tuple[str, str, str]]]:
    """Split features into those of which a plan can be made, and the others.

    Args:
        groups: Features to be.
        clock: The profile's.
        index: The recording's scan.

    Returns:
        The first, and (topic, message type, reason) of the others.
    """
    kept: list[Group] = []
    left_out: list[tuple[str, str, str]] = []
    for group in groups:
        problem = _problem(group, clock=clock, index=index)
        if problem is None:
            kept.append(group)
        else:
            channel = group.candidate.stream.channel
            left_out.append((channel.topic, channel.schema_name, problem))
    return tuple(kept), left_out


def _problem(group: Group, *, clock: Clock, index: RecordingIndex) -> str | None:
    feature = draft_feature(group.name, group.paced, clock=clock, is_active=True, why_optional=None)
    content = {"name": "trial", "clock": clock, "rate_hz": 1, "features": {feature.name: feature.settings}}
    try:
        profile = parse_profile(content)
        # Stamps of an element's own are read when the recording is ingested; here it matters only that there are some.
        stamps = {
            (topic, stamp): index.streams_of(topic)[0].log_time_ns for topic, stamp in stamps_wanted(profile, index)
        }
        resolve(profile, replace(index, own_stamps=stamps))
    except (PlanError, ProfileError) as err:
        return "; ".join(problem.removeprefix(f"feature {feature.name}: ") for problem in err.problems)
    return None
