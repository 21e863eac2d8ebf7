"""Values of messages that name their joints (sensor_msgs/JointState, in any encoding), by name and not by place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bagmill.messages.field_path import NotInMessageError


class JointOrder:
    """Puts values that come in the order of their message into one fixed order of joints.

    Drivers are free to change the order from message to message; the last one's is remembered only to save time.

    Args:
        names: The joints wanted, in the order wanted.
        field: What the values are, for error messages.
    """

    def __init__(self, names: Sequence[str], *, field: str) -> None:
        self._names = tuple(names)
        self._field = field
        # One object, replaced whole: several threads decode with the same order.
        self._last: tuple[tuple[str, ...] | None, NDArray[np.intp]] = (None, np.empty(0, np.intp))

    def apply(self, values: NDArray[np.float64], *, found: tuple[str, ...]) -> NDArray[np.float64]:
        """Values of the joints wanted.

        Args:
            values: (N,) one for each joint of the message.
            found: The N joints of the message.

        Returns:
            (D,) in the order wanted.

        Raises:
            NotInMessageError: A joint is missing, or the message has not one value for each joint.
        """
        last_found, index = self._last
        if found != last_found:
            place = {name: n for n, name in enumerate(found)}
            missing = [name for name in self._names if name not in place]
            if missing:
                raise NotInMessageError(
                    f"no joint called {', '.join(missing)} in the message, it has {', '.join(found) or 'no names'}"
                )
            if repeated := [name for name in self._names if found.count(name) > 1]:
                raise NotInMessageError(f"{', '.join(repeated)} stands more than once in the message's names")
            index = np.array([place[name] for name in self._names], np.intp)
            self._last = (found, index)
        if len(values) != len(found):
            raise NotInMessageError(
                f"`{self._field}`: expected one number for each of {len(found)} joints, found {len(values)}"
            )
        return values[index]
