"""Names by which the loader and the exports know commands and joints: `action`, `action/left`, `state`, `state/left`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bagmill.drafts.groups import Group
from bagmill.drafts.naming import joint_names, without_shared_words
from bagmill.drafts.roles import is_told


def with_role_names(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Name every command as an action, and the joints of several arms as states.

    A single command is `action`, several are `action/left`, `action/right`: no feature can lie inside another, so that
    suggestions beside a single `action` are `actions/…`, which is an action, too.
    """
    names: dict[Group, str] = {}
    told = [group for group in groups if is_told(group.candidate)]
    taken = [group for group in told if group.is_active]
    if len(taken) == 1:
        names[taken[0]] = "action"
        names |= _below("actions", [group for group in told if not group.is_active])
    elif len(told) == 1:
        names[told[0]] = "action"
    else:
        names |= _below("action", told)
    states = [group for group in groups if group.candidate.role == "state"]
    if len({group.candidate.topic for group in states}) > 1:
        names |= _below("state", states)
    rooms = {name.partition("/")[0] for name in names.values() if "/" in name}
    return tuple(replace(group, name=names.get(group) or _beside(group.name, rooms)) for group in groups)


def _below(room: str, groups: Sequence[Group]) -> dict[Group, str]:
    topics = list(dict.fromkeys(group.candidate.topic for group in groups))
    by_topic: Mapping[str, str] = joint_names(topics)
    by_topic = dict(zip(topics, without_shared_words([by_topic[topic] for topic in topics]), strict=True))
    return {group: f"{room}/{_last(by_topic[group.candidate.topic], group.suffix, len(topics))}" for group in groups}


def _last(of_topic: str, suffix: str, num_topics: int) -> str:
    if not suffix:
        return of_topic
    return suffix if num_topics == 1 else f"{of_topic}_{suffix}"


def _beside(name: str, rooms: set[str]) -> str:
    """Another name for what would hold the others inside: a topic `/state` beside `state/left`."""
    return f"{name}_value" if name in rooms else name
