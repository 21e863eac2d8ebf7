"""Every number of a message once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bagmill.drafts import innermost

_paths = st.lists(st.sampled_from(["x", "y", "theta", "pose", "a", "ab", "b[0]", "b[1]"]), min_size=1, max_size=4)


def is_inside(path: str, composite: str) -> bool:
    return path.startswith((f"{composite}.", f"{composite}["))


@given(st.dictionaries(_paths.map(".".join), st.sampled_from([1, 1, 2, 7]), max_size=12))
def test_vectors_and_the_single_numbers_beside_them(fields: dict[str, int]) -> None:
    def is_vector(path: str) -> bool:
        inside = [inner for inner in fields if is_inside(inner, path)]
        axes = all(fields[inner] == 1 and inner.rsplit(".", 1)[-1] in ("x", "y", "z", "w") for inner in inside)
        return fields[path] > 1 and axes

    def is_single(path: str) -> bool:
        return fields[path] == 1 and not any(
            is_inside(other, path) or (is_inside(path, other) and is_vector(other)) for other in fields
        )

    wanted = {path: size for path, size in fields.items() if is_vector(path) or is_single(path)}
    assert list(innermost(fields).items()) == list(wanted.items())
