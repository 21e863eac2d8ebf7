"""The numbers of a channel's messages that no feature takes, each with the reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.elements import ElementList, find_lists
from bagmill.drafts.fields import MOST_FIELDS, is_joint_state, is_trajectory
from bagmill.drafts.inventory import innermost, is_bookkeeping, is_stamp_name
from bagmill.messages.numeric import numeric_fields

_BESIDE: Final = "beside what such a message is about"


def fields_without_feature(
    candidate: Candidate, *, taken: Collection[str], left_out: Collection[str]
) -> list[tuple[str, str]]:
    """(fields, reason) of every number that is neither in a feature nor left out for a reason of its own.

    Args:
        candidate: A channel of numbers.
        taken: Paths of the fields that features are made of, suggested ones as well.
        left_out: Paths of those whose reasons are told already.
    """
    told = [*taken, *left_out]
    lists = find_lists(candidate.stream)
    fields = innermost(candidate.stream.content.fields)
    outside = [path for path in fields if not any(_is_in(path, one.path) for one in lists)]
    missing = [path for path in outside if not any(_is_in(own, path) or _is_in(path, own) for own in told)]
    missing += [path for one in lists for path in _missing_in(one, told)]
    by_reason: dict[str, list[str]] = {}
    for path in missing:
        by_reason.setdefault(_why(path, candidate, num_fields=len(fields)), []).append(path)
    return [_say(paths, reason) for reason, paths in by_reason.items()]


def _missing_in(one: ElementList, told: Collection[str]) -> list[str]:
    """Fields of a list's elements, as paths across all of them."""
    if one.path in told:
        return []
    inside = [path.removeprefix(one.path) for path in told if path.startswith(f"{one.path}[")]
    # `[child_frame_id=tool].transform.translation` → `transform.translation`
    known = [path.partition("].")[2] for path in inside]
    return [
        f"{one.path}[:].{leaf}"
        for leaf in innermost(numeric_fields(one.example))
        if not any(_is_in(own, leaf) or _is_in(leaf, own) for own in known)
    ]


def _is_in(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _why(path: str, candidate: Candidate, *, num_fields: int) -> str:
    schema_name = candidate.stream.channel.schema_name
    if is_bookkeeping(path) or is_stamp_name(path):
        return "of the message, not of the robot: stamps, counters, covariances and the like"
    if is_joint_state(schema_name) or is_trajectory(schema_name):
        return "beside the joints' own feature"
    if "[:]" in path:
        return "lists inside the elements of a list"
    return f"among {num_fields} fields, of which nobody trains on all" if num_fields > MOST_FIELDS else _BESIDE


def _say(paths: Sequence[str], reason: str) -> tuple[str, str]:
    listed = ", ".join(f"`{path}`" for path in paths)
    is_of_use = not any(is_bookkeeping(path) or is_stamp_name(path) for path in paths)
    return listed, f"{reason}; to use one, write `field: {paths[0]}`" if is_of_use else reason
