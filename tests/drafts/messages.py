"""Single messages of small robots, as the tests of drafts put them together."""

import numpy as np

from bagmill.testing import START_NS, SampleMessage, image_values, picture

MS = 1_000_000


def joints(
    n: int, names: list[str], position: list[float], *, topic: str = "/joint_states", period_ms: float = 20
) -> SampleMessage:
    """A JointState, logged when it was measured."""
    time_ns = START_NS + round(n * period_ms * MS)
    values = {"name": names, "position": np.array(position, dtype=np.float64)}
    return SampleMessage(topic, "sensor_msgs/msg/JointState", values, log_ns=time_ns, header_ns=time_ns)


def frame(n: int, *, topic: str = "/cam/image_raw", period_ms: float = 33, shown: int | None = None) -> SampleMessage:
    """A camera's picture number n; it shows picture `shown`."""
    time_ns = START_NS + round(n * period_ms * MS)
    values = image_values(picture("cam_high", n if shown is None else shown))
    return SampleMessage(topic, "sensor_msgs/msg/Image", values, log_ns=time_ns, header_ns=time_ns)


def number(n: int, value: float, *, topic: str, kind: str = "Float64", period_ms: float = 20) -> SampleMessage:
    """A message of one number, without a header."""
    return SampleMessage(topic, f"std_msgs/msg/{kind}", {"data": value}, log_ns=START_NS + round(n * period_ms * MS))
