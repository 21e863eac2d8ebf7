"""Every drafted feature brought together with the recording it was drafted from: what does not fit is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bagmill.drafts.features import draft_feature
from bagmill.drafts.groups import Group
from bagmill.errors import PlanError, ProfileError
from bagmill.plan import resolve, stamps_wanted
from bagmill.profile import Clock, parse_profile
from bagmill.streams.index import RecordingIndex, Stream


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
    by_topic: dict[str, list[Stream]] = defaultdict(list)
    for stream in index.streams:
        by_topic[stream.channel.topic].append(stream)
    for group in groups:
        problem = _problem(group, clock=clock, index=index, by_topic=by_topic)
        if problem is None:
            kept.append(group)
        else:
            channel = group.candidate.stream.channel
            left_out.append((channel.topic, channel.schema_name, problem))
    return tuple(kept), left_out


def _problem(
    group: Group, *, clock: Clock, index: RecordingIndex, by_topic: Mapping[str, Sequence[Stream]]
) -> str | None:
    feature = draft_feature(group.name, group.paced, clock=clock, is_active=True, why_optional=None)
    content = {"name": "trial", "clock": clock, "rate_hz": 1, "features": {feature.name: feature.settings}}
    try:
        profile = parse_profile(content)
        # Thousands of streams would be gone through for every feature, to find the few that it takes.
        topics = dict.fromkeys(topic for spec in profile.features.values() for topic in spec.channels)
        streams = (stream for topic in topics for stream in by_topic.get(topic, ()))
        index = replace(index, streams=tuple(sorted(streams, key=lambda stream: stream.channel.id)))
        # Stamps of an element's own are read when the recording is ingested; here it matters only that there are some.
        stamps = {
            (topic, stamp): index.streams_of(topic)[0].log_time_ns for topic, stamp in stamps_wanted(profile, index)
        }
        resolve(profile, replace(index, own_stamps=stamps))
    except (PlanError, ProfileError) as err:
        return "; ".join(problem.removeprefix(f"feature {feature.name}: ") for problem in err.problems)
    return None
