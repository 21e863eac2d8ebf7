import numpy as np
import pytest

from bagmill.errors import PlanError
from bagmill.messages.content import ChannelContent
from bagmill.plan import resolve
from bagmill.profile import Profile, parse_profile
from bagmill.recordings.records import Channel
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream

IMAGE = ChannelContent("image", encoding="rgb8", height=480, width=640)
JOINTS = ChannelContent.of_numbers(
    {"name": ["a", "b", "c"], "position": [0.0] * 3, "velocity": [0.0] * 3, "effort": []},
    types={"position": "float32[]", "velocity": "float32[]", "effort": "float32[]"},
)
POSE = ChannelContent.of_numbers({"pose": {"position": [0.0] * 3, "orientation": [0.0] * 4}})


def stream(number: int, topic: str, content: ChannelContent, *, header: int = 5, num_messages: int = 10) -> Stream:
    channel = Channel(number, topic, f"test_msgs/msg/{topic.strip('/').title()}", "ros2msg", b"", "cdr")
    log = np.arange(num_messages, dtype=np.int64) + 100
    return Stream(channel, content, log, log, np.full(num_messages, header), np.ones(num_messages, dtype=np.int64))


def index_of(*streams: Stream) -> RecordingIndex:
    return RecordingIndex("run.mcap", "mcap", "xxh3_128:0", 1000, streams, ())


def profile_of(features: dict[str, dict[str, object]], **settings: object) -> Profile:
    return parse_profile({"name": "arm", "rate_hz": 30, "features": features} | settings)


def problems_of(profile: Profile, index: RecordingIndex) -> tuple[str, ...]:
    with pytest.raises(PlanError) as caught:
        resolve(profile, index)
    return caught.value.problems


def test_a_plan_leaves_nothing_open():
    index = index_of(stream(0, "/wrist", IMAGE), stream(1, "/joints", JOINTS), stream(2, "/pose", POSE))
    plan = resolve(
        profile_of(
            {
                "images/wrist": {"channel": "/wrist", "tolerance_ms": 12.5},
                "state": {"channel": "/joints", "field": "position", "names": ["c", "a"]},
                "where": {"channel": "/pose", "field": "pose.orientation", "rule": "slerp", "dtype": "float64"},
                "part": {"channel": "/joints", "field": "position[1:3]"},
                "depth/wrist": {"channel": "/depth", "required": False},
            }
        ),
        index,
    )
    image, state, where, part = plan.features
    assert (image.shape, image.dtype, image.rule, image.tolerance_ns) == (
        (480, 640, 3),
        np.uint8,
        "nearest",
        12_500_000,
    )
    assert (state.shape, state.names, state.parts[0].joints, state.dtype) == ((2,), ("c", "a"), ("c", "a"), np.float32)
    assert (where.shape, where.parts[0].joints, where.dtype) == ((4,), (), np.float64)
    assert where.names == tuple(f"pose.orientation[{n}]" for n in range(4))
    assert (part.shape, part.parts[0].joints, part.names) == ((2,), ("b", "c"), ("b", "c"))
    assert plan.omitted == ("depth/wrist",)
    assert plan.stream_of(state) is index.streams[1]


def test_every_mismatch_is_told_at_once():
    index = index_of(
        stream(0, "/wrist", IMAGE),
        stream(1, "/joints", JOINTS),
        stream(2, "/empty", JOINTS, num_messages=0),
        stream(3, "/broken", ChannelContent("none", problem="its schema cannot be parsed")),
    )
    problems = problems_of(
        profile_of(
            {
                "images/a": {"channel": "/nowhere"},
                "images/b": {"channel": "/joints"},
                "state": {"channel": "/joints", "field": "torque"},
                "some": {"channel": "/joints", "field": "position", "names": ["a", "z"]},
                "none": {"channel": "/empty", "field": "position"},
                "bad": {"channel": "/broken", "field": "data"},
                "limited": {"channel": "/joints", "field": "position", "limits": [[0, 1], [0, 1]]},
                "odd": {"channel": "/joints", "field": "position", "rule": "spline"},
                "turned": {"channel": "/joints", "field": "position", "rule": "slerp"},
            }
        ),
        index,
    )
    told = dict(problem.removeprefix("feature ").split(": ", 1) for problem in problems)
    assert told["images/a"] == "no channel /nowhere; the recording has /broken, /joints, /wrist"
    assert "pictures are wanted of /joints" in told["images/b"]
    assert "no numeric field `torque`" in told["state"]
    assert "position" in told["state"]
    assert told["some"] == "no joint called z on /joints; it has a, b, c"
    assert told["none"] == "channel /empty has no messages"
    assert told["bad"] == "/broken: its schema cannot be parsed"
    assert told["limited"] == "expected 1 or 3 pairs of limits, found 2"
    assert "spline" in told["odd"]
    assert "slerp" in told["turned"]
    assert len(told) == 9


@pytest.mark.parametrize("header", [0, NO_STAMP])
def test_header_clock_needs_header_stamps(header: int):
    index = index_of(stream(0, "/joints", JOINTS, header=header))
    features = {"state": {"channel": "/joints", "field": "position"}}
    (problem,) = problems_of(profile_of(features), index)
    assert "use clock `log`" in problem
    assert resolve(profile_of(features, clock="log"), index).features[0].clock == "log"


def test_names_need_messages_that_name_their_joints():
    index = index_of(stream(0, "/pose", POSE))
    (problem,) = problems_of(profile_of({"a": {"channel": "/pose", "field": "pose.position", "names": ["x"]}}), index)
    assert problem.startswith(
        "feature a: `names` are given, but the messages on /pose name no joints; with `by: place`"
    )


def test_a_topic_recorded_with_two_schemas_is_ambiguous():
    index = index_of(stream(0, "/pose", POSE), stream(1, "/pose", JOINTS))
    (problem,) = problems_of(profile_of({"a": {"channel": "/pose", "field": "pose.position"}}), index)
    assert "recorded with 2 different schemas" in problem


def test_a_recording_with_nothing_of_the_profile_is_no_episode():
    index = index_of(stream(0, "/pose", POSE))
    profile = profile_of({"images/a": {"channel": "/cam", "required": False}})
    assert problems_of(profile, index) == ("none of the profile's features is in the recording",)
