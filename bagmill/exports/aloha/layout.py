"""How an episode lies in an HDF5 file of ALOHA's layout.

Source: what ALOHA's recorder writes and ACT's loader reads (T. Zhao, V. Kumar, S. Levine, C. Finn, "Learning Fine-Grained
Bimanual Manipulation with Low-Cost Hardware", 2023, and its published programs).

episode_0.hdf5                       attributes `sim` and `compress`
/observations/qpos, qvel, effort     (T, D)
/observations/images/<camera>        uint8 (T, H, W, 3) RGB, a picture a chunk; compressed: (T, L) bytes of JPEGs, zeros behind
/action, /base_action                (T, D)
/compress_len                        compressed: (cameras, T) bytes of every JPEG, cameras in the order of their names

Beyond ALOHA, where its readers do not look:

/observations/images_depth/<camera>  uint16 (T, H, W), times attribute `scale_m` is metres
/bagmill/time                        int64 (T,) ns since the Unix epoch
/bagmill/<what>/<feature>            `valid`, `source`, `interpolated`, `sequence` of every tick, as in an episode
"""

from __future__ import annotations

from typing import Final

from bagmill.dataset import HeldFeature
from bagmill.errors import ExportError
from bagmill.profile import FeatureKind

FILE: Final = "episode_{index}.hdf5"
OBSERVATIONS: Final = "observations"
IMAGES: Final = "observations/images"
DEPTH: Final = "observations/images_depth"
QPOS: Final = "observations/qpos"
QVEL: Final = "observations/qvel"
ACTION: Final = "action"
COMPRESS_LENGTHS: Final = "compress_len"
FACTS: Final = "bagmill"

_KNOWN: Final = {
    "state": QPOS,
    "qpos": QPOS,
    "qvel": QVEL,
    "velocity": QVEL,
    "state_velocity": QVEL,
    "effort": "observations/effort",
    "action": ACTION,
    "actions": ACTION,
    "base_action": "base_action",
}
_ROOMS: Final[dict[str, FeatureKind]] = {IMAGES: "image", DEPTH: "depth"}


def default_name(feature: HeldFeature) -> str:
    """ALOHA's name for a feature, and a place below `observations` for what ALOHA has no name for.

    images/cam_high → observations/images/cam_high; state → observations/qpos; gripper/force → observations/gripper.force;
    action/left → action.left, beside the observations
    """
    room, _, rest = feature.name.partition("/")
    if feature.kind == "image":
        return f"{IMAGES}/{rest.replace('/', '.')}"
    if feature.kind == "depth":
        return f"{DEPTH}/{rest.replace('/', '.')}"
    if room in ("action", "actions") and rest:
        return f"{ACTION}.{rest.replace('/', '.')}"
    return _KNOWN.get(feature.name, f"{OBSERVATIONS}/{feature.name.replace('/', '.')}")


def check_name(name: str, feature: HeldFeature) -> None:
    """Refuse a name under which a reader would find something else than it expects.

    Raises:
        ExportError: It is such a name.
    """
    room, _, last = name.rpartition("/")
    kind = _ROOMS.get(room, "signal")
    if kind != feature.kind:
        wanted = next((known for known, of in _ROOMS.items() if of == feature.kind), OBSERVATIONS)
        raise ExportError(f"{feature.name} cannot be written as {name}", remedy=f"Name it {wanted}/…")
    if not last or room not in ("", OBSERVATIONS, *_ROOMS) or name in (OBSERVATIONS, FACTS, COMPRESS_LENGTHS, *_ROOMS):
        raise ExportError(f"{name!r} is no name in ALOHA's layout", remedy="See docs/exports.md for those there are")


def full_name(name: str) -> str:
    """A name as a user may write it, in full: `qpos` is `observations/qpos`, `images/top` is `observations/images/top`."""
    name = name.strip("/")
    room = name.partition("/")[0]
    is_short = room in ("images", "images_depth") or name in ("qpos", "qvel", "effort")
    return f"{OBSERVATIONS}/{name}" if is_short else name
