"""Alignment rules: which message feeds a tick, and what is made of two.

One rule a file, registered here by one line; another distribution adds one through the entry-point group
`bagmill.rules`. What every rule owes is said in `rule`. Stays out: where the ticks are and what the streams have in
common (`alignment`).
"""

from typing import Final

from bagmill.alignment.rules.angle import Angle
from bagmill.alignment.rules.latest import Latest
from bagmill.alignment.rules.linear import Linear
from bagmill.alignment.rules.nearest import Nearest
from bagmill.alignment.rules.rule import Rule
from bagmill.alignment.rules.slerp import Slerp
from bagmill.registry import Registry

RULES: Final[Registry[Rule]] = Registry("alignment rule", "bagmill.rules")
"""Every rule by the name that profiles use."""

RULES.register("nearest", Nearest())
RULES.register("latest", Latest())
RULES.register("linear", Linear())
RULES.register("slerp", Slerp())
RULES.register("angle", Angle())

__all__ = ["RULES", "Angle", "Latest", "Linear", "Nearest", "Rule", "Slerp"]
