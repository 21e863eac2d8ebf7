"""The Zarr codec: judged by zarr, which calls it, and by Pillow, which reads what it wrote."""

import io
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from PIL import Image
from zarr.registry import get_codec_class
from zarr.storage import LocalStore

from bagmill.codecs import JPEG_CODEC, ZarrJpegCodec, decode_jpeg
from bagmill.errors import CodecError


def _pictures(num: int = 3) -> np.ndarray:
    y, x, n = np.meshgrid(np.arange(20), np.arange(33), np.arange(num), indexing="ij")
    waves = np.stack([np.sin(x / 7 + n), np.cos(y / 5 + n), np.sin((x + y) / 9)], axis=-1)
    return np.asarray(128 + 90 * waves, dtype=np.uint8).transpose(2, 0, 1, 3)


def _codec(**configuration: object) -> ZarrJpegCodec:
    return ZarrJpegCodec.from_dict({"name": "imagecodecs_jpeg", "configuration": configuration})  # type: ignore[dict-item]


def test_zarr_writes_and_reads_jpeg_chunks(tmp_path: Path) -> None:
    pictures = _pictures()
    array = zarr.create_array(
        LocalStore(tmp_path),
        shape=pictures.shape,
        dtype="uint8",
        chunks=(1, 20, 33, 3),
        serializer=_codec(level=92, subsampling="444", colorspace_data="RGB"),
        compressors=None,
        fill_value=0,
    )
    array[:2] = pictures[:2]

    stored = (tmp_path / "c/1/0/0/0").read_bytes()
    by_pillow = np.asarray(Image.open(io.BytesIO(stored)))
    assert np.abs(by_pillow.astype(int) - pictures[1]).max() <= 10
    assert Image.open(io.BytesIO(stored)).layer[0][1:3] == (1, 1)  # type: ignore[attr-defined]

    reopened = zarr.open_array(tmp_path, mode="r")
    assert np.array_equal(reopened[1], decode_jpeg(stored))
    assert not reopened[2].any()


def test_the_default_is_quality_95_with_thin_chroma(tmp_path: Path) -> None:
    array = zarr.create_array(
        LocalStore(tmp_path),
        shape=(1, 20, 33, 3),
        dtype="uint8",
        chunks=(1, 20, 33, 3),
        serializer=ZarrJpegCodec(),
        compressors=None,
    )
    array[:] = _pictures(1)
    file = io.BytesIO()
    Image.fromarray(_pictures(1)[0]).save(file, "JPEG", quality=95, subsampling=2)
    stored = Image.open(io.BytesIO((tmp_path / "c/0/0/0/0").read_bytes()))
    assert stored.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined]
    assert stored.quantization == Image.open(file).quantization  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"colorspace_data": "RGB"},
        {"level": 95, "subsampling": "420", "colorspace_data": "RGB"},
        {"level": None, "subsampling": [2, 1], "optimize": True, "bitspersample": 8, "fancyupsampling": True},
    ],
)
def test_metadata_come_back_as_they_were(configuration: dict[str, object]) -> None:
    written = _codec(**configuration).to_dict()
    assert written["name"] == "imagecodecs_jpeg"
    assert written.get("configuration", {}) == configuration
    assert ZarrJpegCodec.from_dict(json.loads(json.dumps(written))) == _codec(**configuration)


def test_metadata_without_a_configuration_are_read() -> None:
    assert ZarrJpegCodec.from_dict({"name": "imagecodecs_jpeg"}) == ZarrJpegCodec()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colorspace_data", "YCBCR"),
        ("colorspace_jpeg", "RGB"),
        ("bitspersample", 12),
        ("tables", "AAAA"),
        ("fancyupsampling", False),
        ("lossless", True),
        ("turbo", 1),
    ],
)
def test_settings_that_would_decode_to_other_numbers_are_refused(key: str, value: object) -> None:
    with pytest.raises(CodecError, match=rf"{key} = .*Install imagecodecs-zarr"):
        _codec(**{key: value})


def test_another_codecs_metadata_are_refused() -> None:
    with pytest.raises(CodecError, match="expected the metadata of the codec imagecodecs_jpeg"):
        ZarrJpegCodec.from_dict({"name": "imagecodecs_png"})


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (1, 8, 8, 1), (8, 8)])
def test_chunks_that_are_no_picture_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = zarr.create_array(
        LocalStore(tmp_path), shape=shape, dtype="uint8", chunks=shape, serializer=ZarrJpegCodec(), compressors=None
    )
    with pytest.raises(CodecError, match="expected chunks"):
        array[:] = 1


def test_it_is_registered() -> None:
    assert get_codec_class(JPEG_CODEC).__name__ in ("ZarrJpegCodec", "Jpeg")


_OTHER_CLASS = """
from bagmill.codecs.zarr_jpeg import ZarrJpegCodec
class OtherCodec(ZarrJpegCodec):
    pass
"""
_OTHER_ENTRY = "[zarr.codecs]\nimagecodecs_jpeg = other_codec:OtherCodec\n"
_OWN_ENTRY = "[zarr.codecs]\nimagecodecs_jpeg = bagmill.codecs.zarr_jpeg:entry_point_class\n"
_ASK = "from zarr.registry import get_codec_class; print(get_codec_class('imagecodecs_jpeg').__name__)"


def _installed(folder: Path, name: str, entry_points: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)


def _run(code: str, path: Path) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(root)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("is_other_there", "is_own_there", "imports"),
    [
        *itertools.product(
            [False, True], [False, True], ["import zarr, bagmill.codecs", "import bagmill.codecs, zarr"]
        ),
        # Without bagmill imported, only an entry point can tell zarr.
        (False, True, "import zarr"),
        (True, False, "import zarr"),
        (True, True, "import zarr"),
    ],
)
def test_who_has_the_name_does_not_depend_on_the_order_of_imports(
    tmp_path: Path, is_other_there: bool, is_own_there: bool, imports: str
) -> None:
    (tmp_path / "other_codec.py").write_text(_OTHER_CLASS)
    if is_other_there:
        _installed(tmp_path, "other-codecs", _OTHER_ENTRY)
    if is_own_there:
        _installed(tmp_path, "aaa-bagmill-entry", _OWN_ENTRY)

    assert _run(f"{imports}; {_ASK}", tmp_path) == ("OtherCodec" if is_other_there else "ZarrJpegCodec")


def test_a_class_that_the_user_chose_keeps_the_name(tmp_path: Path) -> None:
    code = (
        "import zarr, zarr.registry\n"
        "from zarr.codecs import BytesCodec\n"
        "class Mine(BytesCodec): pass\n"
        "zarr.registry.register_codec('imagecodecs_jpeg', Mine)\n"
        "zarr.config.set({'codecs.imagecodecs_jpeg': '__main__.Mine'})\n"
        "import bagmill.codecs\n" + _ASK
    )
    assert _run(code, tmp_path) == "Mine"


def test_a_distribution_that_cannot_be_loaded_does_not_stop_bagmill(tmp_path: Path) -> None:
    _installed(tmp_path, "other-codecs", "[zarr.codecs]\nimagecodecs_jpeg = no_such_module:Codec\n")
    assert _run("import bagmill.codecs; print('fine')", tmp_path) == "fine"
