"""A few ticks of an episode in one picture."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from bagmill.episodes import Episode
from bagmill.previews.mosaic import draw_mosaic, plan_mosaic
from bagmill.previews.thumbnail import spread_ticks


def make_contact_sheet(episode: Episode, *, num_ticks: int = 6, tile_height: int = 120) -> bytes:
    """JPEG bytes."""
    mosaic = plan_mosaic(episode, height=tile_height)
    if mosaic is None:
        sheet = Image.new("RGB", (320, 120))
    else:
        ticks = spread_ticks(episode.num_ticks, count=num_ticks)
        sheet = Image.new("RGB", (mosaic.width, mosaic.height * len(ticks)))
        for row, tick in enumerate(ticks):
            sheet.paste(Image.fromarray(draw_mosaic(mosaic, episode, tick=tick)), (0, row * mosaic.height))
    buffer = BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
