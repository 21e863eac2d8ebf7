"""Pictures for people: an episode's film, contact sheets, depth in colours and plots; a dataset's histograms and trends.

Belongs here: layout, colours, labels, the AV1 encoder. Stays out: training frames (`episodes`), what a preview's numbers
mean (`quality`), where pictures lie in a dataset (`dataset`), when they are made (`ingest`).
"""

from bagmill.previews.av1 import PreviewInfo, write_preview
from bagmill.previews.colour import colour_depth, depth_range
from bagmill.previews.contact_sheet import ContactSheets, make_contact_sheets
from bagmill.previews.depth_picture import make_depth_picture
from bagmill.previews.encoder import prepare_encoder
from bagmill.previews.evidence import check_preview
from bagmill.previews.histograms import histograms_plot
from bagmill.previews.mosaic import Mosaic, Tile, draw_mosaic, plan_mosaic
from bagmill.previews.ranges import Ranges, ranges_plot
from bagmill.previews.rates import RateSource, rates_plot
from bagmill.previews.signals import signal_plot
from bagmill.previews.skew import skew_plot
from bagmill.previews.thumbnail import depth_ranges
from bagmill.previews.trends import Trend, trends_plot

__all__ = [
    "ContactSheets",
    "Mosaic",
    "PreviewInfo",
    "Ranges",
    "RateSource",
    "Tile",
    "Trend",
    "check_preview",
    "colour_depth",
    "depth_range",
    "depth_ranges",
    "draw_mosaic",
    "histograms_plot",
    "make_contact_sheets",
    "make_depth_picture",
    "plan_mosaic",
    "prepare_encoder",
    "ranges_plot",
    "rates_plot",
    "signal_plot",
    "skew_plot",
    "trends_plot",
    "write_preview",
]
