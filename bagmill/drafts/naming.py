"""Names for features, taken from topics."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

_PICTURE_WORDS = re.compile(
    r"(images?|camera|colou?r|rgb|bgr|depth|ir|raw|rect|mono|stream|data|compressed|compressed_?depth|registered|aligned"
    r"|aligned_depth_to_colou?r|sensor_\d+|device_\d+)(_(raw|rect|colou?r|rgb|mono|depth|compressed|data))*",
    re.IGNORECASE,
)
_SIGNAL_WORDS = re.compile(r"(data|values?|msgs?|messages?|topics?|out|output|test|sensors?)", re.IGNORECASE)
_JOINT_WORDS = re.compile(
    r"(joint_?)?(states?|pos|positions?|commands?|cmd|actions?|targets?|trajectory)|joints?|in|out|data|references?|commanded"
    r"|desired|goals?|leader|master|setpoints?|teleop|values?|puppet|follower",
    re.IGNORECASE,
)
_ACTION_WORDS = frozenset(
    (
        "action",
        "actions",
        "cmd",
        "command",
        "commanded",
        "commands",
        "desired",
        "goal",
        "goals",
        "leader",
        "master",
        "reference",
        "setpoint",
        "setpoints",
        "target",
        "targets",
        "teleop",
    )
)
_INPUT_WORDS = frozenset(("in", "input", "control"))
_MOST_IN_NAME = 120
"""Characters: what is put behind a name still fits into a profile's."""
_TAKEN = frozenset(("time", "source", "valid", "interpolated", "sequence", "images", "depth"))
"""First words that a profile keeps for itself: see `bagmill.profile`."""


def camera_names(topics: Sequence[str]) -> dict[str, str]:
    """A name for every camera, from the words of its topic that tell it from the others.

    >>> camera_names(["/wrist/color/image_raw", "/head/color/image_raw"])
    {'/wrist/color/image_raw': 'wrist', '/head/color/image_raw': 'head'}
    """
    return _names(topics, is_filler=lambda word: bool(_PICTURE_WORDS.fullmatch(word)), fallback="camera")


def signal_names(topics: Sequence[str]) -> dict[str, str]:
    """A name for every channel of numbers.

    >>> signal_names(["/turtle1/pose", "/turtle2/pose", "/imu/data"])
    {'/turtle1/pose': 'turtle1_pose', '/turtle2/pose': 'turtle2_pose', '/imu/data': 'imu'}
    """
    names = _names(topics, is_filler=lambda word: bool(_SIGNAL_WORDS.fullmatch(word)), fallback="signal")
    return {topic: f"{name}_value" if name in _TAKEN else name for topic, name in names.items()}


def joint_names(topics: Sequence[str]) -> dict[str, str]:
    """What tells channels of joint states or of commands apart: the arm they are of.

    >>> joint_names(["/puppet_left/joint_states", "/puppet_right/joint_states"])
    {'/puppet_left/joint_states': 'puppet_left', '/puppet_right/joint_states': 'puppet_right'}
    """
    return _names(topics, is_filler=lambda word: bool(_JOINT_WORDS.fullmatch(word)), fallback="joints")


def without_shared_words(names: Sequence[str]) -> list[str]:
    """The same names without the words that all of them begin or end with, where something telling is left.

    >>> without_shared_words(["puppet_left", "puppet_right"]), without_shared_words(["arm_1", "arm_2"])
    (['left', 'right'], ['arm_1', 'arm_2'])
    """
    words = [name.split("_") for name in names]
    if len(words) < 2:
        return list(names)
    for end in (0, -1):
        while len({of_name[end] for of_name in words}) == 1 and all(len(of_name) > 1 for of_name in words):
            shorter = [of_name[1:] if end == 0 else of_name[:-1] for of_name in words]
            if any("_".join(of_name).isdigit() for of_name in shorter):
                break
            words = shorter
    return ["_".join(of_name) for of_name in words]


def is_command(topic: str, *, of_joints: bool = False) -> bool:
    """The topic's words say that the robot is told something, not that it reports.

    Args:
        topic: As recorded.
        of_joints: The messages are joint states: what goes `in` to joints is a command, to an estimator it is not.
    """
    words = {word for part in _parts(topic) for word in (part, *re.split(r"[_.-]", part))}
    return not _ACTION_WORDS.isdisjoint(words) or (of_joints and not _INPUT_WORDS.isdisjoint(words))


def without_repeats(names: Sequence[str]) -> list[str]:
    """The same names, every repeated one with a number behind it.

    >>> without_repeats(["pose", "imu", "pose"])
    ['pose', 'imu', 'pose_2']
    """
    taken: set[str] = set()
    different = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        different.append(candidate)
    return different


def _parts(topic: str) -> list[str]:
    """A topic's words, as a feature may be called."""
    words = (re.sub(r"[^A-Za-z0-9_.-]+", "_", word).strip("._-").lower() for word in topic.split("/"))
    return [word for word in words if word]


def _names(topics: Sequence[str], *, is_filler: Callable[[str], bool], fallback: str) -> dict[str, str]:
    telling = {}
    for topic in topics:
        parts = _parts(topic)
        telling[topic] = [word for word in parts if not is_filler(word)] or parts[:1] or [fallback]
    num_words = dict.fromkeys(telling, 1)
    names: dict[str, str] = {}
    # Words are added in front, from the topic's end, for those that are not told apart yet.
    for _ in range(max(map(len, telling.values()), default=0)):
        names = {topic: "_".join(words[-num_words[topic] :]) for topic, words in telling.items()}
        counts = Counter(names.values())
        for topic, name in names.items():
            num_words[topic] += counts[name] > 1
    names = {topic: name[:_MOST_IN_NAME] for topic, name in _spelled_out(names).items()}
    return dict(zip(names, without_repeats(list(names.values())), strict=True))


def _spelled_out(names: dict[str, str]) -> dict[str, str]:
    """Those that still share a name get all of their topic's words."""
    counts = Counter(names.values())
    return {topic: name if counts[name] == 1 else "_".join(_parts(topic)) or name for topic, name in names.items()}
