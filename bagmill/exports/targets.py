"""Under which name every feature is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bagmill.dataset import HeldFeature
from bagmill.errors import ExportError


@dataclass(frozen=True, slots=True)
class Target:
    """One array of the export."""

    name: str
    """In the format's own terms."""
    features: tuple[HeldFeature, ...]
    """One, or several signals that are written behind each other as one."""

    @property
    def width(self) -> int:
        """Numbers of one tick, of signals."""
        return sum(feature.shape[0] for feature in self.features)

    @property
    def column_names(self) -> list[str] | None:
        """What the numbers of signals are called; None where a signal does not say."""
        if not all(feature.names for feature in self.features):
            return None
        return [name for feature in self.features for name in feature.names]

    @property
    def column_units(self) -> list[str] | None:
        """The unit of every number, empty where none is said; None where none is of any."""
        units = [unit or "" for feature in self.features for unit in feature.units or (None,) * feature.shape[0]]
        return units if any(units) else None


def resolve_targets(
    features: Mapping[str, HeldFeature], *, default: Callable[[HeldFeature], str | None], own: Mapping[str, str]
) -> tuple[list[Target], list[HeldFeature]]:
    """Give every feature its name in the export.

    Args:
        features: Those to be exported.
        default: The name that the format has for a feature; None for one that it has no place for.
        own: Feature → name, as the user wants it. A signal that is given the name of another is written behind it, several
            in the order given.

    Returns:
        The targets in the order of the features, and the features that have no place.

    Raises:
        ExportError: A name for a feature that is not exported, or one name for what cannot be one array.
    """
    if unknown := [name for name in own if name not in features]:
        raise ExportError(
            f"a name is given for {', '.join(unknown)}, which is not exported",
            remedy=f"There are {', '.join(features)}",
        )
    named: dict[str, list[HeldFeature]] = {}
    homeless: list[HeldFeature] = []
    by_default: dict[str, HeldFeature] = {}
    for feature in features.values():
        if feature.name in own:
            continue
        name = default(feature)
        if name is None:
            homeless.append(feature)
        elif name in by_default:
            raise ExportError(
                f"both {by_default[name].name} and {feature.name} would be written as {name}",
                remedy="Give one of them another name, or leave it out",
            )
        else:
            by_default[name] = feature
            named[name] = [feature]
    for feature_name, name in own.items():
        named.setdefault(name, []).append(features[feature_name])
    targets = [Target(name, tuple(group)) for name, group in named.items()]
    for target in targets:
        if len(target.features) > 1 and any(feature.kind != "signal" for feature in target.features):
            raise ExportError(
                f"{', '.join(feature.name for feature in target.features)} would all be written as {target.name}",
                remedy="Only signals can be joined: give each picture a name of its own",
            )
    order = list(features)
    return sorted(targets, key=lambda target: order.index(target.features[0].name)), homeless
