"""The scene: a table before a wall, things that move over it, and the two arms; as colours and as disparity."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from examples.sample_recordings.sensor import DISPARITY_STEPS, FOCAL_TIMES_BASELINE_PX_MM
from examples.sample_recordings.texture import coloured, octave_noise

HEIGHT, WIDTH = 480, 640
_HORIZON = 150
"""Row where the table meets the wall."""
_COLOURS = ((178, 84, 72), (84, 122, 172), (206, 178, 92), (106, 158, 104), (164, 122, 164))
_GROUND = 1400
"""Side of the table as the wrist camera sees it from above, px."""


class Scene:
    """What the cameras look at; a function of time and of where the joints are.

    Args:
        rng: Where textures, things and their ways come from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._background, self._disparity = _table_before_wall(rng)
        self._things = [_Thing(colour, rng) for colour in _COLOURS]
        self._metal = _picture(coloured((HEIGHT, WIDTH), rng, colour=(92, 94, 98), contrast=14, slope=1.4, stretch=3))
        self._ground = _ground_with_things(rng)

    def seen_from_above(
        self, time_s: float, joints: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
        """What the fixed camera above the table sees: colours uint8 (H, W, 3) and disparity int16 (H, W)."""
        colours = self._background.copy()
        disparity = self._disparity.copy()
        for thing in self._things:
            sprite, mask, corner, nearness = thing.at(time_s)
            colours.paste(sprite, corner, mask)
            left, top = corner
            window = disparity[top : top + mask.height, left : left + mask.width]
            np.copyto(window, window + nearness, where=np.asarray(mask)[: window.shape[0], : window.shape[1]] > 127)
        arms = _arms_mask(joints)
        colours.paste(self._metal, (0, 0), arms)
        np.copyto(disparity, _ARM_DISPARITY, where=np.asarray(arms) > 127)
        return np.asarray(colours), disparity

    def seen_from_wrist(self, joints: NDArray[np.float64]) -> NDArray[np.uint8]:
        """What the camera at the right wrist sees, uint8 (H, W, 3): the table pass by, the fingers in front."""
        waist, shoulder, elbow, _, wrist, turn, gripper = joints[7:]
        zoom = 1.0 + 0.25 * math.tanh(elbow + shoulder)
        angle = 0.5 * turn
        step_x, step_y = zoom * math.cos(angle), zoom * math.sin(angle)
        centre_x = _GROUND * (0.5 + 0.30 * waist)
        centre_y = _GROUND * (0.5 + 0.35 * (shoulder + 0.6) + 0.15 * (wrist - 0.3))
        # From a pixel of the frame to one of the ground, turned about the frame's middle.
        origin_x = centre_x - step_x * WIDTH / 2 + step_y * HEIGHT / 2
        origin_y = centre_y - step_y * WIDTH / 2 - step_x * HEIGHT / 2
        frame = self._ground.transform(
            (WIDTH, HEIGHT),
            Image.Transform.AFFINE,
            (step_x, -step_y, origin_x, step_y, step_x, origin_y),
            resample=Image.Resampling.BILINEAR,
        )
        frame.paste(self._metal, (0, 0), _fingers_mask(gripper))
        return np.asarray(frame)


class _Thing:
    """A thing that is pushed over the table on a closed way."""

    def __init__(self, colour: tuple[int, int, int], rng: np.random.Generator) -> None:
        self._size = int(rng.integers(90, 150))
        surface = coloured((self._size, self._size), rng, colour=colour, contrast=14, slope=1.1)
        # Beyond ±1 lies a rim, so that turning cuts no corner off.
        y, x = np.mgrid[-1.4 : 1.4 : self._size * 1j, -1.4 : 1.4 : self._size * 1j]
        # Round ones and square ones, lit from above left.
        power = float(rng.choice([2, 8]))
        inside = np.clip(self._size / 4 * (1 - (np.abs(x) ** power + np.abs(y) ** power)), 0, 1)
        surface += (-16 * (x + y))[..., np.newaxis]
        self._sprite = _picture(surface)
        self._mask = Image.fromarray((255 * inside).astype(np.uint8))
        self._centre = rng.uniform((0.2, 0.55), (0.8, 0.85)) * (WIDTH, HEIGHT)
        self._reach = rng.uniform((30, 12), (110, 40))
        self._rate_hz = rng.uniform(0.05, 0.2)
        self._phase = rng.uniform(0, 2 * np.pi)
        self._nearness = int(rng.integers(60, 160))

    def at(self, time_s: float) -> tuple[Image.Image, Image.Image, tuple[int, int], int]:
        """Picture, mask, upper left corner, and how much nearer than the table it is in steps of disparity."""
        turn = 2 * math.pi * self._rate_hz * time_s + self._phase
        x = self._centre[0] + self._reach[0] * math.sin(turn) - self._size / 2
        y = self._centre[1] + self._reach[1] * math.cos(1.3 * turn) - self._size / 2
        left = min(max(round(x), 0), WIDTH - self._size)
        top = min(max(round(y), 0), HEIGHT - self._size)
        angle = 20 * math.sin(turn)
        sprite = self._sprite.rotate(angle, resample=Image.Resampling.BILINEAR)
        mask = self._mask.rotate(angle, resample=Image.Resampling.BILINEAR)
        return sprite, mask, (left, top), self._nearness


def _disparity_of(depth_mm: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.asarray(np.rint(DISPARITY_STEPS * FOCAL_TIMES_BASELINE_PX_MM / depth_mm), dtype=np.int16)


_ARM_DISPARITY = _disparity_of(np.linspace(620, 560, WIDTH)[np.newaxis, :].repeat(HEIGHT, axis=0))


def _table_before_wall(rng: np.random.Generator) -> tuple[Image.Image, NDArray[np.int16]]:
    wood = coloured((HEIGHT, WIDTH), rng, colour=(190, 154, 118), contrast=20, slope=1.15, stretch=6)
    wall = coloured((HEIGHT, WIDTH), rng, colour=(176, 182, 186), contrast=9, slope=1.3)
    mat = coloured((HEIGHT, WIDTH), rng, colour=(92, 118, 114), contrast=12, slope=1.0)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    surface = np.where((rows >= _HORIZON)[..., np.newaxis], wood, wall)
    is_mat = (rows > 240) & (rows < 440) & (np.abs(columns - WIDTH / 2) < 130 + 0.25 * (rows - 240))
    surface = np.where(is_mat[..., np.newaxis], mat, surface)
    # A plane's depth falls with the reciprocal of the distance from its vanishing line.
    table_mm = 1500 / (1 + 1.1 * np.maximum(rows - _HORIZON, 0) / (HEIGHT - _HORIZON))
    wall_mm = 1560 + 40 * octave_noise((HEIGHT, WIDTH), rng, slope=2.2)
    depth_mm = np.where(rows >= _HORIZON, table_mm, wall_mm)
    return _picture(surface), _disparity_of(depth_mm)


def _ground_with_things(rng: np.random.Generator) -> Image.Image:
    ground = _picture(coloured((_GROUND, _GROUND), rng, colour=(186, 152, 120), contrast=20, slope=1.18, stretch=4))
    for colour in (*_COLOURS, *_COLOURS, *_COLOURS):
        size = int(rng.integers(120, 260))
        thing = _picture(coloured((size, size), rng, colour=colour, contrast=16, slope=1.1))
        mask = Image.new("L", (2 * size, 2 * size))
        draw = ImageDraw.Draw(mask)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((size // 4, size // 4, 2 * size - size // 4, 2 * size - size // 4), fill=255)
        mask = mask.rotate(float(rng.uniform(0, 90)), resample=Image.Resampling.BILINEAR).reduce(2)
        left, top = rng.integers(0, _GROUND - size, 2)
        ground.paste(thing, (int(left), int(top)), mask)
    return ground


def _arms_mask(joints: NDArray[np.float64]) -> Image.Image:
    """Both arms' outlines, "L" (H, W): drawn at twice the size and reduced, so that their edges are soft."""
    mask = Image.new("L", (2 * WIDTH, 2 * HEIGHT))
    draw = ImageDraw.Draw(mask)
    for side, arm in ((-1, joints[:7]), (1, joints[7:])):
        waist, shoulder, elbow, _, wrist, _, gripper = arm
        x, y = WIDTH + side * 660.0, 2.0 * HEIGHT * 0.6
        angle = -math.pi / 2 - side * (0.9 + 0.6 * (shoulder + 0.6) + 0.3 * waist)
        for length, width, bend in ((330, 64, 0.9 + 0.6 * (elbow - 0.7)), (220, 48, 0.5 + 0.7 * (wrist - 0.3))):
            end_x, end_y = x + length * math.cos(angle), y + length * math.sin(angle)
            draw.line((x, y, end_x, end_y), fill=255, width=width)
            draw.ellipse((end_x - width / 2, end_y - width / 2, end_x + width / 2, end_y + width / 2), fill=255)
            x, y = end_x, end_y
            angle -= side * bend
        for finger in (-1, 1):
            turned = angle + finger * (0.15 + 0.35 * gripper)
            draw.line((x, y, x + 90 * math.cos(turned), y + 90 * math.sin(turned)), fill=255, width=20)
    return mask.reduce(2)


def _fingers_mask(gripper: float) -> Image.Image:
    mask = Image.new("L", (2 * WIDTH, 2 * HEIGHT))
    draw = ImageDraw.Draw(mask)
    opening = 60 + 220 * gripper
    for side in (-1, 1):
        root, tip = WIDTH + side * (opening + 150), WIDTH + side * opening
        draw.polygon(
            [(root - 90, 2 * HEIGHT), (root + 90, 2 * HEIGHT), (tip + 34, 1.35 * HEIGHT), (tip - 34, 1.35 * HEIGHT)],
            fill=255,
        )
    return mask.reduce(2)


def _picture(surface: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.clip(surface, 0, 255).astype(np.uint8))
