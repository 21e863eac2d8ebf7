"""Pictures of an episode for people: a film of every tick, a contact sheet, plots of skew and signals.

Belongs here: layout, colours, labels, the AV1 encoder. Stays out: training frames (`episodes`), what a preview's numbers
mean (`quality`), where pictures lie in a dataset (`dataset`), when they are made (`ingest`).
"""

from bagmill.previews.av1 import PreviewInfo, write_preview
from bagmill.previews.colour import colour_depth, depth_range
from bagmill.previews.contact_sheet import make_contact_sheet
from bagmill.previews.evidence import check_preview
from bagmill.previews.mosaic import Mosaic, Tile, draw_mosaic, plan_mosaic
from bagmill.previews.signals import signal_plot
from bagmill.previews.skew import skew_plot

__all__ = [
    "Mosaic",
    "PreviewInfo",
    "Tile",
    "check_preview",
    "colour_depth",
    "depth_range",
    "draw_mosaic",
    "make_contact_sheet",
    "plan_mosaic",
    "signal_plot",
    "skew_plot",
    "write_preview",
]
