"""A draft as YAML that explains itself: what was measured and why a line is there stands beside it as a comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import yaml

from bagmill.drafts.draft import ProfileDraft
from bagmill.drafts.features import FeatureDraft


def profile_yaml(draft: ProfileDraft, *, definitions: str | None = None) -> str:
    """The text of a profile; suggestions and what was left out are comments in it.

    Args:
        draft: What it says.
        definitions: Path of the folder of message definitions that the recording was scanned with, from the profile's file.
    """
    return "\n".join(_lines(draft, definitions)) + "\n"


def _lines(draft: ProfileDraft, definitions: str | None) -> Iterator[str]:
    yield f"# Drafted by `bagmill profile` from {_comment(draft.recording)}: a start, to be read through once."
    yield from (f"# → {_comment(warning)}" for warning in draft.warnings)
    yield f"name: {_value(draft.name)}"
    yield 'robot: ""  # which one'
    yield 'task: ""  # what it does here, in words; kept with every episode'
    if definitions is not None:
        yield f"definitions: {_value(definitions)}  # of the messages that recordings do not define themselves"
    yield f"clock: {draft.clock.clock}  # {_comment(draft.clock.reason)}"
    yield f"rate_hz: {_rate(draft.rate_hz)}  # ticks a second; {_comment(draft.rate_reason)}"
    if draft.span != "overlap":
        yield f"span: {draft.span}  # no feature lasts for most of the recording"
    yield "features:"
    for feature in draft.features:
        if feature.is_active:
            yield from _feature_lines(feature)
    suggested = [feature for feature in draft.features if not feature.is_active]
    if suggested:
        yield ""
        yield "  # Also there; to use one, take the `# ` away:"
        for feature in suggested:
            yield from (f"  #{line[1:]}" for line in _feature_lines(feature))
    if draft.checks:
        yield ""
        yield "checks:  # wider than usual, so that this recording passes: take a line away to be asked the usual"
        for check in draft.checks:
            yield f"  {check.name}: {{threshold: {check.threshold}}}  # {_comment(check.why)}"
    if draft.left_out:
        yield ""
        yield "# Left out:"
        for topic, schema_name, reason in draft.left_out:
            yield f"# {_comment(topic)} ({_comment(schema_name) or 'no type'}): {_comment(reason)}"


def _feature_lines(feature: FeatureDraft) -> Iterator[str]:
    yield f"  {_value(feature.name)}:  # {_comment(feature.comment)}"
    settings = feature.settings
    if not isinstance(settings, Mapping):
        yield from (f"    - {_value(part)}" for part in settings)
        return
    for key, value in settings.items():
        if key == "parts" and isinstance(value, list):
            yield "    parts:"
            yield from (f"      - {_value(part)}" for part in value)
        else:
            yield f"    {key}: {_value(value)}"


def _rate(rate_hz: Fraction) -> str:
    """`30`, `12.5`, `30000/1001`: decimal where that is exact."""
    decimal = f"{float(rate_hz):.6g}"
    return decimal if Fraction(decimal) == rate_hz else str(rate_hz)


def _value(value: object) -> str:
    """A value in YAML's flow style, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf"))
    return str(text).removesuffix("\n").removesuffix("\n...")


def _comment(text: str) -> str:
    """Text that cannot end its comment: topics come from files and may hold anything."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
