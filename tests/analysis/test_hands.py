"""As many frames are in hand as there are hands, and an error ends the work."""

import threading
from collections import deque
from collections.abc import Iterator
from functools import partial

import pytest

from samcell_live.analysis.hands import Hands


def test_pieces_of_work_are_done_at_once_up_to_the_number_of_hands() -> None:
    meeting = threading.Barrier(3)
    with Hands(3) as hands:
        for _ in hands.as_they_are_free(range(6)):
            hands.do(partial(meeting.wait, 10))
    assert not meeting.broken


def test_the_next_item_is_asked_for_when_a_hand_is_free() -> None:
    in_hand: list[int] = []
    asked_for: list[int] = []

    def items() -> Iterator[int]:
        for item in range(5):
            assert len(in_hand) < 2
            asked_for.append(item)
            yield item

    with Hands(2) as hands:
        for item in hands.as_they_are_free(items()):
            in_hand.append(item)
            hands.do(partial(in_hand.remove, item))
    assert asked_for == [0, 1, 2, 3, 4]


def test_an_error_lets_what_is_in_hand_end_and_begins_nothing_more() -> None:
    is_broken = threading.Event()
    ended: list[str] = []

    def breaks() -> None:
        raise OSError("No space left on device")

    def goes_on() -> None:
        assert is_broken.wait(10)
        ended.append("the other")

    def items() -> Iterator[str]:
        yield "the other"
        yield "the broken"
        while not hands.is_broken:
            pass
        is_broken.set()
        yield "one more"

    def begin(item: str) -> None:
        begun.append(item)
        hands.do(breaks if item == "the broken" else goes_on)

    hands = Hands(3)
    begun: list[str] = []
    with pytest.raises(OSError, match="No space left"), hands:
        deque(map(begin, hands.as_they_are_free(items())))
    assert begun == ["the other", "the broken"]
    assert ended == ["the other"]


def test_ctrl_c_does_not_wait_for_what_is_in_hand() -> None:
    may_end = threading.Event()

    hands = Hands(1)

    def begin_and_be_interrupted() -> None:
        hands.do(partial(may_end.wait, 10))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hands:
        begin_and_be_interrupted()
    may_end.set()
