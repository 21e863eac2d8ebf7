import gc

import numpy as np

from bagmill.training.columns import ArraySpec
from bagmill.training.slots import SlotLayout, Slots

SPEC = {
    "images/a": ArraySpec((5, 7, 3), np.dtype(np.uint8)),
    "mask/images/a": ArraySpec((), np.dtype(np.bool_)),
    "state": ArraySpec((2, 3), np.dtype(np.float64)),
    "none": ArraySpec((0,), np.dtype(np.float32)),
}


def test_arrays_of_a_batch_lie_beside_each_other_and_nowhere_else():
    layout = SlotLayout(SPEC, num_rows=9)
    memory = np.zeros(layout.size_bytes, np.uint8)
    for num_rows in (1, 4, 9):
        views = layout.views(memory, num_rows=num_rows)
        for number, (key, array) in enumerate(views.items(), start=1):
            assert array.shape == (num_rows, *SPEC[key].shape)
            assert array.dtype == SPEC[key].dtype
            assert array.flags.c_contiguous
            assert array.flags.aligned
            array[...] = number
        for number, (key, array) in enumerate(views.items(), start=1):
            assert (array == np.array(number).astype(SPEC[key].dtype)).all()
            assert np.shares_memory(array, memory) or not array.size


def lent(slots: Slots) -> tuple[int, np.ndarray]:
    slot = slots.ask()
    assert slot is not None
    return slot, slots.lend(slot)


def test_a_slot_is_free_again_when_the_last_view_of_it_is_gone():
    pages = [np.zeros(16, np.uint8) for _ in range(2)]
    # As a tensor's `numpy()`: memory that is none of NumPy's, so that views refer to the new array.
    slots = Slots(2, lambda slot: np.frombuffer(memoryview(pages[slot]), np.uint8))
    _, memory = lent(slots)
    view = memory[4:8].view(np.int32)[None]
    del memory
    gc.collect()
    other = slots.ask()
    assert other is not None
    assert slots.ask() is None
    del view
    assert slots.ask() is not None
    assert slots.ask() is None


def test_what_was_asked_for_and_never_taken_is_free_again():
    pages = [np.zeros(16, np.uint8) for _ in range(3)]
    slots = Slots(3, lambda slot: np.frombuffer(memoryview(pages[slot]), np.uint8))
    kept, memory = lent(slots)
    asked = {slots.ask(), slots.ask()}
    assert slots.ask() is None
    slots.forget_asked()
    assert {slots.ask(), slots.ask()} == asked == {0, 1, 2} - {kept}
    assert slots.ask() is None
    del memory
    assert slots.ask() == kept
