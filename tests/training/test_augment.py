"""Augmentations: what follows from the key alone, and what they do to pixels, against plain NumPy."""

import colorsys

import numpy as np
import pytest
import simplejpeg

from bagmill.errors import TrainingError
from bagmill.testing.content import picture
from bagmill.training.augment import Augmentation, ColourJitter, JpegCompression, augment
from bagmill.training.keyed import combine, derive_keys, uniform

ALL = [ColourJitter(0.3, 0.3, 0.3, 0.1), JpegCompression((20, 90))]


def pictures(num: int, *, num_frames: int | None = None) -> np.ndarray:
    frames = np.stack([picture("cam_high", 3 * n) for n in range(num * (num_frames or 1))])
    return frames if num_frames is None else frames.reshape(num, num_frames, *frames.shape[1:])


def changed(
    images: np.ndarray, *augmentations: Augmentation, samples: list[int] | None = None, **key: int
) -> np.ndarray:
    batch = {"images/a": images.copy()}
    augment(batch, augmentations, **{"seed": 0, "epoch": 0, **key}, samples=samples or range(len(images)))
    return batch["images/a"]


def test_a_samples_change_follows_from_seed_epoch_and_sample_alone():
    images = pictures(6)
    whole = changed(images, *ALL, samples=[10, 11, 12, 13, 14, 15])
    picked = changed(images[[4, 1]], *ALL, samples=[14, 11])
    assert np.array_equal(picked, whole[[4, 1]])
    assert np.array_equal(changed(images, *ALL, samples=[10, 11, 12, 13, 14, 15], num_threads=3), whole)
    for key in ({"seed": 1}, {"epoch": 1}):
        assert not np.array_equal(changed(images, *ALL, samples=[10, 11, 12, 13, 14, 15], **key), whole)
    same_picture = np.repeat(images[:1], 4, axis=0)
    assert len({each.tobytes() for each in changed(same_picture, *ALL)}) == 4


def test_cameras_are_changed_each_on_its_own_and_nothing_else_is():
    batch = {
        "images/a": pictures(3),
        "images/b": pictures(3),
        "depth/a": np.full((3, 4, 4), 900, np.uint16),
        "mask/images/a": np.ones(3, np.bool_),
        "state": np.ones((3, 2)),
    }
    before = {key: array.copy() for key, array in batch.items()}
    augment(batch, ALL, seed=0, epoch=0, samples=[0, 1, 2])
    assert not np.array_equal(batch["images/a"], before["images/a"])
    assert not np.array_equal(batch["images/a"], batch["images/b"])
    for key in ("depth/a", "mask/images/a", "state"):
        assert np.array_equal(batch[key], before[key])


@pytest.mark.parametrize("augmentation", [*ALL, ColourJitter(contrast=0.9)])
def test_absent_frames_stay_zeros_and_are_no_part_of_the_others_change(augmentation: Augmentation):
    windows = pictures(4, num_frames=3)
    without = changed(windows[:, ::2], augmentation)
    windows[:, 1] = 0
    windows[3] = 0
    now = changed(windows, augmentation)
    assert not now[:, 1].any()
    assert not now[3].any()
    assert np.array_equal(now[:3, ::2], without[:3])
    assert not np.array_equal(without[:3], windows[:3, ::2])


@pytest.mark.parametrize("augmentation", ALL)
def test_all_frames_of_a_window_are_changed_alike(augmentation: Augmentation):
    one = pictures(2)
    windows = np.repeat(one[:, None], 3, axis=1)
    now = changed(windows, augmentation)
    assert (now == now[:, :1]).all()
    assert np.array_equal(now[:, 0], changed(one, augmentation))


def test_compression_is_that_of_a_jpeg_of_the_drawn_quality():
    images = pictures(40)
    found = changed(images, JpegCompression((30, 32)))
    seen = set()
    for image, now in zip(images, found, strict=True):
        candidates = {
            quality: simplejpeg.decode_jpeg(
                simplejpeg.encode_jpeg(image, quality=quality, colorsubsampling="420", fastdct=False),
                fastdct=False,
                fastupsample=False,
            )
            for quality in (30, 31, 32)
        }
        seen |= {quality for quality, expected in candidates.items() if np.array_equal(expected, now)}
    assert seen == {30, 31, 32}


def test_a_probability_is_that_of_a_sample():
    images = np.repeat(pictures(1), 400, axis=0)
    for augmentation in (JpegCompression((30, 30), probability=0.25), ColourJitter(brightness=0.5, probability=0.25)):
        num_changed = (changed(images, augmentation) != images).any(axis=(1, 2, 3)).sum()
        # 100, with a deviation of 8.7; a brightness that is not changed visibly is one in hundreds.
        assert 60 < num_changed < 140
    assert np.array_equal(changed(images[:3], JpegCompression(probability=0)), images[:3])


def expected_jitter(image: np.ndarray, *, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    luma = np.array([0.299, 0.587, 0.114])
    bright = image * brightness
    spread = contrast * bright + (1 - contrast) * (bright @ luma).mean()
    return saturation * spread + (1 - saturation) * (spread @ luma)[..., None]


def test_brightness_contrast_and_saturation_are_blends_as_everywhere():
    images = pictures(12)
    keys = combine(derive_keys("augmentation 0 of images/a", 0, 0), np.arange(12))
    drawn = 1 + (2 * uniform(keys, 5)[:, 1:] - 1) * 0.2
    found = changed(images, ColourJitter(0.2, 0.2, 0.2))
    for image, now, factors in zip(images, found, drawn, strict=True):
        expected = expected_jitter(image, **dict(zip(("brightness", "contrast", "saturation"), factors, strict=False)))
        assert np.abs(np.clip(expected, 0, 255) - now).max() <= 1
    assert (np.abs(found.astype(int) - images) > 10).any()


def test_hue_turns_colours_and_leaves_grey_and_brightness():
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    assert np.abs(changed(grey, ColourJitter(hue=0.5)).astype(int) - grey).max() <= 1
    muted = np.full((60, 4, 4, 3), (140, 110, 100), np.uint8)
    now = changed(muted, ColourJitter(hue=0.5))[:, 0, 0].astype(float)
    luma = now @ [0.299, 0.587, 0.114]
    assert np.abs(luma - (0.299 * 140 + 0.587 * 110 + 0.114 * 100)).max() < 1.5
    hues = np.array([colorsys.rgb_to_hsv(*(colour / 255))[0] for colour in now])
    assert set(np.floor(hues * 6).astype(int)) == set(range(6)), "the whole circle is reached"


def test_black_pictures_of_absent_frames_stay_black():
    black = np.zeros((8, 16, 16, 3), np.uint8)
    assert not changed(black, *ALL).any()


def test_pictures_that_do_not_lie_in_one_piece_are_changed_too():
    wide = np.zeros((3, 2, 48, 100, 3), np.uint8)
    wide[..., :64, :] = pictures(3, num_frames=2)
    batch = {"images/a": wide[..., :64, :]}
    augment(batch, ALL, seed=0, epoch=0, samples=[0, 1, 2])
    assert np.array_equal(batch["images/a"], changed(pictures(3, num_frames=2), *ALL))
    assert not wide[..., 64:, :].any()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: JpegCompression((0, 50)), "qualities within 1 to 100"),
        (lambda: JpegCompression((60, 50)), "two rising JPEG qualities"),
        (lambda: JpegCompression(probability=1.5), "probability between 0 and 1"),
        (lambda: ColourJitter(brightness=-0.1), "brightness between 0 and 1"),
        (lambda: ColourJitter(hue=0.6), "hue between 0 and 0.5"),
    ],
)
def test_what_cannot_be_is_said(make, sentence: str):
    with pytest.raises(TrainingError, match=sentence):
        make()
