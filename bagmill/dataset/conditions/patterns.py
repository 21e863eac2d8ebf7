r"""Regular expressions in time that grows with the text, whatever they say: RE2's, less what Python reads in another way.

Arrow's engine never tries again, so that `(a+)+$` costs as much as `a`. It has no look-around and no references back. A
pattern is looked through first: what only one of the two languages knows, or both read differently, is refused. What stays
different: `\d`, `\w`, `\s` and `\b` know ASCII only, and `$` is the very end, not also the place before a last line break.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bagmill.dataset.conditions.bounds import MOST_PATTERN, Deadline, UnfitError, shortened

_ESCAPED: Final = r"\\(?:[dDwWsSnrtfav]|x[0-9a-fA-F]{2}|[\x20-/:-@\[-^`{-~])"
_PIECE: Final = re.compile(
    rf"""
      (?P<quantity>(?:[*+?]|\{{[0-9]{{1,4}}(?:,[0-9]{{0,4}})?\}})\??+)
    | (?P<set>\[\^?(?:{_ESCAPED}|[^\\\[\]&~|-]|[-&~|](?![-&~|]))++\])
    | (?P<opening>\((?:\?:|\?P<[A-Za-z_][A-Za-z0-9_]*+>)?+(?!\?))
    | (?P<bar>\|)
    | (?P<closing>\))
    | (?P<plain>{_ESCAPED}|\\[bBA]|[^\\\[\](){{}}*+?|])
    """,
    re.VERBOSE | re.DOTALL,
)
_MOST_PIECES: Final = 2_000
_FIRST_SLICE: Final = 1_024
_SPECIAL: Final = re.compile(r"[\\^$.|?*+()\[\]{}]")
_FLAGS: Final = re.compile(r"\(\?[ims]+\)")
_REMEDY: Final = (
    "Regular expressions are RE2's: letters, `.`, sets, groups, `|`, `* + ? {2,3}`, `^ $ \\b`; no look-around, no references "
    "back. Put a backslash before a sign that means itself, or write regex=False for a part of the text as it is"
)


def is_plain(pattern: str) -> bool:
    """Whether a pattern means itself."""
    return not _SPECIAL.search(pattern)


def matches(
    values: pa.Array,
    pattern: str,
    *,
    where: Literal["anywhere", "begin", "whole"],
    is_case_kept: bool,
    deadline: Deadline,
) -> NDArray[np.bool_]:
    """In which texts a pattern is found, (N,); in what is missing, in none.

    Raises:
        UnfitError: It is no pattern, one that is read differently elsewhere, or it takes too long.
    """
    flags = _checked(pattern)
    inner = pattern[len(flags) :]
    anchored = {"anywhere": inner, "begin": rf"\A(?:{inner})", "whole": rf"\A(?:{inner})\z"}[where]
    is_found = np.zeros(len(values), np.bool_)
    try:
        # By itself first: what is added may not close what the pattern leaves open.
        pc.match_substring_regex(pa.array([], pa.string()), pattern)
        place, num = 0, _FIRST_SLICE
        while place < len(values):
            # In slices that grow, so that a slow pattern is stopped in time.
            deadline.check()
            found = pc.match_substring_regex(values.slice(place, num), flags + anchored, ignore_case=not is_case_kept)
            is_found[place : place + num] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
            place, num = place + num, 4 * num
    except (pa.ArrowException, ValueError) as err:
        reason = " ".join(str(err).split()).removeprefix("Invalid regular expression: ")
        raise UnfitError(f"has a regular expression that cannot be used ({shortened(reason)})", _REMEDY) from err
    return is_found


def _checked(pattern: str) -> str:
    """Look a pattern through, and give the flags that it begins with."""
    if len(pattern) > MOST_PATTERN:
        raise UnfitError(f"has a regular expression of more than {MOST_PATTERN:,} characters", _REMEDY)
    found = _FLAGS.match(pattern)
    flags = found[0] if found else ""
    place, before = len(flags), "opening"
    # How many pieces there are once every count is written out: in each group that is open, and in the last piece.
    num_pieces, last = [0], 0
    while place < len(pattern):
        piece = _PIECE.match(pattern, place)
        kind = "" if piece is None else str(piece.lastgroup)
        # Two quantities, or one of nothing: one language refuses them, and the other does not.
        if piece is None or (kind == "quantity" and before not in ("plain", "set", "closing")):
            raise _unusable(f"character {place + 1}, {pattern[place : place + 10]!r}")
        if kind == "opening":
            num_pieces.append(0)
        elif kind == "closing":
            last = num_pieces.pop()
            if not num_pieces:
                raise _unusable("a closing parenthesis too many")
            num_pieces[-1] += last
        elif kind == "quantity":
            num_pieces[-1] += last * (max(1, *map(int, re.findall("[0-9]+", piece[0])), 1) - 1)
        else:
            last = 1
            num_pieces[-1] += last
        if num_pieces[-1] > _MOST_PIECES:
            raise _unusable(f"more than {_MOST_PIECES:,} pieces once its counts are written out")
        place, before = piece.end(), kind
    return flags


def _unusable(reason: str) -> UnfitError:
    return UnfitError(f"has a regular expression that cannot be used ({reason})", _REMEDY)
