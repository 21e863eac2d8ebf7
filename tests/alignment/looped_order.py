"""The order of stamps by its definition: loops that look at every message beside every other."""

from itertools import groupby


def looped_order(stamps: list[int]) -> list[str]:
    """For every message `in order`, `stray`, `overlapped`, or `stray and overlapped`."""
    runs = [(stamp, len(list(group))) for stamp, group in groupby(stamps)]
    known = [stamp for stamp, _ in runs]
    strays = [_is_stray(known, n) for n in range(len(known))]
    kinds: list[str] = []
    for n, (stamp, length) in enumerate(runs):
        others = [(m, other) for m, other in enumerate(known) if m != n]
        is_overlapped = any(other == stamp for _, other in others)
        if not strays[n]:
            rest = [(m, other) for m, other in others if not strays[m]]
            is_overlapped |= any(m < n and other > stamp for m, other in rest)
            is_overlapped |= any(m > n and other < stamp for m, other in rest)
        words = [word for word, is_so in (("stray", strays[n]), ("overlapped", is_overlapped)) if is_so]
        kinds += [" and ".join(words) or "in order"] * length
    return kinds


def _is_stray(known: list[int], n: int) -> bool:
    before, after = known[:n][-1:], known[n + 1 :][:1]
    is_odd = any(known[n] < other for other in before) or any(known[n] > other for other in after)
    return is_odd and all(left <= right for left in before for right in after)
