import pytest

from bagmill.drafts.units import units_of_field

POSE = {"position": "m", "orientation": None}
TWIST = {"linear": "m/s", "angular": "rad/s"}


def _inside(units: dict[str, str | None], *, around: str) -> dict[str, str | None]:
    return {f"{around}.{field}": unit for field, unit in units.items()}


@pytest.mark.parametrize(
    ("schema_name", "units"),
    [
        ("geometry_msgs/msg/Accel", {"linear": "m/s²", "angular": "rad/s²", "linear.x": "m/s²"}),
        ("geometry_msgs/AccelStamped", {"accel.linear": "m/s²", "accel.angular": "rad/s²"}),
        ("geometry_msgs/msg/AccelWithCovariance", {"accel.linear": "m/s²", "accel.angular": "rad/s²"}),
        (
            "geometry_msgs/msg/AccelWithCovarianceStamped",
            {"accel.accel.linear": "m/s²", "accel.accel.angular": "rad/s²"},
        ),
        ("geometry_msgs/msg/Twist", TWIST),
        ("geometry_msgs/TwistStamped", _inside(TWIST, around="twist")),
        ("geometry_msgs/msg/TwistWithCovarianceStamped", _inside(TWIST, around="twist.twist")),
        ("geometry_msgs/msg/Wrench", {"force": "N", "torque": "N·m"}),
        ("geometry_msgs/msg/WrenchStamped", {"wrench.force": "N", "wrench.torque": "N·m"}),
        ("geometry_msgs/msg/PoseStamped", _inside(POSE, around="pose")),
        ("geometry_msgs/msg/Transform", {"translation": "m", "rotation": None}),
        ("geometry_msgs/msg/PointStamped", {"point": "m"}),
        ("geometry_msgs/msg/Pose2D", {"x": "m", "y": "m", "theta": "rad"}),
        ("geometry_msgs/msg/Vector3", {"x": None}),
        ("nav_msgs/msg/Odometry", _inside(POSE, around="pose.pose") | _inside(TWIST, around="twist.twist")),
        ("tf2_msgs/msg/TFMessage", {"transform.translation": "m", "transform.rotation": None}),
        ("sensor_msgs/msg/Imu", {"angular_velocity": "rad/s", "linear_acceleration": "m/s²", "orientation": None}),
        ("sensor_msgs/msg/MagneticField", {"magnetic_field": "T"}),
        ("sensor_msgs/msg/FluidPressure", {"fluid_pressure": "Pa"}),
        ("sensor_msgs/Temperature", {"temperature": "°C"}),
        ("sensor_msgs/msg/RelativeHumidity", {"relative_humidity": None}),
        ("sensor_msgs/msg/Illuminance", {"illuminance": "lx"}),
        ("sensor_msgs/msg/Range", {"range": "m", "max_range": "m", "field_of_view": "rad"}),
        ("sensor_msgs/msg/LaserScan", {"ranges": "m", "ranges[0:4]": "m", "intensities": None, "angle_min": "rad"}),
        (
            "sensor_msgs/msg/BatteryState",
            {"voltage": "V", "current": "A", "charge": "Ah", "percentage": None, "cell_voltage": "V"},
        ),
        ("sensor_msgs/msg/NavSatFix", {"latitude": "deg", "longitude": "deg", "altitude": "m"}),
        ("foxglove.LocationFix", {"latitude": "deg", "longitude": "deg", "altitude": "m"}),
        # Radians or metres, by joint: not by the message's type alone.
        ("sensor_msgs/msg/JointState", {"position": None}),
        # A robot's own messages may count in anything.
        ("my_msgs/msg/Imu", {"angular_velocity": None, "linear_acceleration": None}),
        ("BatteryState", {"voltage": None}),
    ],
)
def test_units_are_those_of_the_definition(schema_name: str, units: dict[str, str | None]) -> None:
    assert {field: units_of_field(field, schema_name=schema_name) for field in units} == units
