"""Name → implementation, for the parts a user may add to: alignment rules, metrics, exporters.

An implementation registers itself where it is defined; another distribution adds one through an entry point of the registry's
group. Containers are not here: they are three and stable, a plain choice in `recordings.open`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from bagmill.errors import RegistryError

T = TypeVar("T")


class Registry(Generic[T]):
    """Implementations by name, in the order of their registration.

    Args:
        noun: What one implementation is called, for error messages ("alignment rule").
        group: The entry-point group that other distributions use ("bagmill.rules").
    """

    def __init__(self, noun: str, group: str) -> None:
        self._noun = noun
        self._group = group
        self._implementations: dict[str, T] = {}
        self._has_entry_points = False

    def register(self, name: str, implementation: T) -> T:
        """Add an implementation.

        Raises:
            RegistryError: The name is taken: silently replacing an alignment rule would change data.
        """
        if name in self._implementations:
            raise RegistryError(f"two implementations of the {self._noun} {name!r}", remedy="Rename one of them")
        self._implementations[name] = implementation
        return implementation

    def __getitem__(self, name: str) -> T:
        self._load_entry_points()
        try:
            return self._implementations[name]
        except KeyError:
            known = ", ".join(sorted(self._implementations))
            raise RegistryError(f"no {self._noun} is called {name!r}", remedy=f"Known: {known}") from None

    def __contains__(self, name: object) -> bool:
        self._load_entry_points()
        return name in self._implementations

    def __iter__(self) -> Iterator[str]:
        self._load_entry_points()
        return iter(self._implementations)

    def __len__(self) -> int:
        self._load_entry_points()
        return len(self._implementations)

    def _load_entry_points(self) -> None:
        if self._has_entry_points:
            return
        self._has_entry_points = True
        for entry_point in entry_points(group=self._group):
            self.register(entry_point.name, entry_point.load())
