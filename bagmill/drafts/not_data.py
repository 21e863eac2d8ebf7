"""Channels that hold numbers and are no data to train on: logs, parameters, diagnostics, calibration, drawings."""

from __future__ import annotations

import re

_DRAWING = "drawings for people"
_REASONS = {
    "log lines": ("rcl_interfaces/Log", "rosgraph_msgs/Log", "foxglove/Log", "foxglove_msgs/Log"),
    "parameters": (
        "rcl_interfaces/ParameterEvent",
        "dynamic_reconfigure/Config",
        "dynamic_reconfigure/ConfigDescription",
    ),
    "diagnostics": (
        "diagnostic_msgs/DiagnosticArray",
        "diagnostic_msgs/DiagnosticStatus",
        "diagnostic_msgs/KeyValue",
        "statistics_msgs/MetricsMessage",
        "statistics_msgs/StatisticDataPoint",
        "rosgraph_msgs/TopicStatistics",
        "bond/Status",
        "rmw_dds_common/ParticipantEntitiesInfo",
    ),
    "the state of a program, not of the robot": (
        "lifecycle_msgs/TransitionEvent",
        "action_msgs/GoalStatusArray",
        "actionlib_msgs/GoalStatusArray",
        "rosbag2_interfaces/WriteSplitEvent",
        "rosbag2_interfaces/ReadSplitEvent",
        "controller_manager_msgs/ControllerManagerActivity",
    ),
    "the clock itself": ("rosgraph_msgs/Clock", "builtin_interfaces/Time", "sensor_msgs/TimeReference"),
    "a camera's calibration, the same in every message": (
        "sensor_msgs/CameraInfo",
        "foxglove/CameraCalibration",
        "foxglove_msgs/CameraCalibration",
    ),
    "a point cloud, of which no feature can be made; record the depth camera's pictures to train on them": (
        "sensor_msgs/PointCloud2",
        "sensor_msgs/PointCloud",
        "foxglove/PointCloud",
        "foxglove_msgs/PointCloud",
        "livox_ros_driver2/CustomMsg",
    ),
    "a map, of which no feature can be made": (
        "nav_msgs/OccupancyGrid",
        "nav_msgs/GridCells",
        "nav_msgs/MapMetaData",
        "map_msgs/OccupancyGridUpdate",
        "grid_map_msgs/GridMap",
        "octomap_msgs/Octomap",
        "foxglove/Grid",
        "foxglove_msgs/Grid",
    ),
    "a path, which has another length in every message": ("nav_msgs/Path", "foxglove/PosesInFrame"),
    _DRAWING: (
        "visualization_msgs/Marker",
        "visualization_msgs/MarkerArray",
        "visualization_msgs/ImageMarker",
        "visualization_msgs/InteractiveMarkerUpdate",
        "foxglove/SceneUpdate",
        "foxglove_msgs/SceneUpdate",
        "foxglove/ImageAnnotations",
        "foxglove_msgs/ImageAnnotations",
    ),
}
_REASON_BY_TYPE = {name: reason for reason, names in _REASONS.items() for name in names}
_TOPIC_WORDS = {
    "rosout": "log lines",
    "rosout_agg": "log lines",
    "parameter_events": "parameters",
    "parameter_updates": "parameters",
    "diagnostics": "diagnostics",
    "diagnostics_agg": "diagnostics",
    "diagnostics_toplevel_state": "diagnostics",
    "statistics": "diagnostics",
}


def why_not_data(schema_name: str, topic: str) -> str | None:
    """Why messages are no feature though they hold numbers; None where nothing speaks against them.

    >>> why_not_data("rcl_interfaces/msg/Log", "/rosout")
    'log lines'
    """
    parts = [part for part in re.split(r"[/.]", schema_name) if part not in ("msg", "")]
    reason = _REASON_BY_TYPE.get("/".join(parts[-2:]))
    return reason or _TOPIC_WORDS.get(topic.rsplit("/", 1)[-1].lower())
