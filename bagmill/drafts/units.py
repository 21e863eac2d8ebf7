"""In which unit a field counts, as its message's definition says; nothing where it does not.

Source: REP 103, "Standard Units of Measure and Coordinate Conventions", for lengths, motion and forces; the comments in the
definitions of the messages for the rest.
"""

from __future__ import annotations

import re
from typing import Final

_Units = tuple[tuple[re.Pattern[str], str], ...]


def _fields(**units: str) -> _Units:
    """Name of the innermost field that has one → its unit; a vector's own axes count like the vector."""
    return tuple((re.compile(rf"(^|[.\]]){name}(\.[xyz]|\[[^\]]*\])?$"), unit) for name, unit in units.items())


_VARIANTS: Final = ("Stamped", "WithCovariance", "WithCovarianceStamped")
_POSE: Final = _fields(position="m", translation="m")
_TWIST: Final = _fields(linear="m/s", angular="rad/s")
_ACCEL: Final = _fields(linear="m/s²", angular="rad/s²")
_WRENCH: Final = _fields(force="N", torque="N·m")
_FIX: Final = _fields(latitude="deg", longitude="deg", altitude="m")
_BY_TYPE: Final[dict[str, _Units]] = {
    **{f"geometry_msgs/Pose{rest}": _POSE for rest in ("", "Array", *_VARIANTS)},
    **{f"geometry_msgs/Transform{rest}": _POSE for rest in ("", "Stamped")},
    **dict.fromkeys(("tf/tfMessage", "tf2_msgs/TFMessage"), _POSE),
    "geometry_msgs/Point": _fields(x="m", y="m", z="m"),
    "geometry_msgs/Point32": _fields(x="m", y="m", z="m"),
    "geometry_msgs/PointStamped": _fields(point="m"),
    "geometry_msgs/Pose2D": _fields(x="m", y="m", theta="rad"),
    **{f"geometry_msgs/Twist{rest}": _TWIST for rest in ("", *_VARIANTS)},
    "geometry_msgs/VelocityStamped": _TWIST,
    **{f"geometry_msgs/Accel{rest}": _ACCEL for rest in ("", *_VARIANTS)},
    **dict.fromkeys(("geometry_msgs/Wrench", "geometry_msgs/WrenchStamped"), _WRENCH),
    "nav_msgs/Odometry": _POSE + _TWIST,
    "sensor_msgs/MultiDOFJointState": _POSE + _TWIST + _WRENCH,
    "sensor_msgs/Imu": _fields(angular_velocity="rad/s", linear_acceleration="m/s²"),
    "sensor_msgs/MagneticField": _fields(magnetic_field="T"),
    "sensor_msgs/FluidPressure": _fields(fluid_pressure="Pa"),
    "sensor_msgs/Temperature": _fields(temperature="°C"),
    "sensor_msgs/Illuminance": _fields(illuminance="lx"),
    "sensor_msgs/Range": _fields(range="m", min_range="m", max_range="m", field_of_view="rad"),
    **dict.fromkeys(
        ("sensor_msgs/LaserScan", "sensor_msgs/MultiEchoLaserScan"),
        _fields(
            ranges="m",
            range_min="m",
            range_max="m",
            angle_min="rad",
            angle_max="rad",
            angle_increment="rad",
            time_increment="s",
            scan_time="s",
        ),
    ),
    "sensor_msgs/BatteryState": _fields(
        voltage="V",
        temperature="°C",
        current="A",
        charge="Ah",
        capacity="Ah",
        design_capacity="Ah",
        cell_voltage="V",
        cell_temperature="°C",
    ),
    "sensor_msgs/NavSatFix": _FIX,
    "foxglove/LocationFix": _FIX,
    "foxglove_msgs/LocationFix": _FIX,
    **dict.fromkeys(
        ("ackermann_msgs/AckermannDrive", "ackermann_msgs/AckermannDriveStamped"),
        _fields(
            steering_angle="rad",
            steering_angle_velocity="rad/s",
            speed="m/s",
            acceleration="m/s²",
            jerk="m/s³",
        ),
    ),
}


def units_of_field(path: str, *, schema_name: str) -> str | None:
    """The unit of a field whose message says by its definition which one it is; None elsewhere.

    A robot's own messages may count a `position` in anything.

    >>> units_of_field("accel.linear", schema_name="geometry_msgs/msg/AccelStamped")
    'm/s²'
    >>> units_of_field("position", schema_name="my_msgs/msg/Pose")
    """
    words = [word for word in re.split(r"[/.]", schema_name) if word != "msg"]
    known = _BY_TYPE.get("/".join(words), ())
    return next((unit for pattern, unit in known if pattern.search(path)), None)
