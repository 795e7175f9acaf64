"""Every frame has one task, and waits for what it needs and for nothing else."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from builders import plan

from samcell_live.records import FrameKey, RunShape
from samcell_live.store.plan import RunPlan
from samcell_live.store.stacks import Stacks, Task

STACK = plan(RunShape(t=2, c=2, z=3), stack="max", segment_z=2)
CHANNELS = plan(RunShape(t=2, c=2), segment_c=1)


def stacks(
    run_plan: RunPlan,
    acquired: Iterable[FrameKey] = (),
    *,
    done: Iterable[FrameKey] = (),
    has_cells: Iterable[FrameKey] = (),
    unexpected: Iterable[FrameKey] = (),
    may_come: bool = True,
) -> Stacks:
    def marks(keys: Iterable[FrameKey]) -> Any:
        found = np.zeros(run_plan.shape.n_slots, bool)
        found[[run_plan.shape.slot(key) for key in keys]] = True
        return found

    rank = np.arange(run_plan.shape.n_slots, dtype=np.int32)
    rank[marks(unexpected)] = -1
    return Stacks.now(
        run_plan,
        rank=rank,
        acquired=marks(acquired),
        done=marks(done),
        has_cells=marks(has_cells),
        may_come=may_come,
    )


def ready(one: Stacks) -> list[FrameKey]:
    return [one.plan.shape.key(int(slot)) for slot in one.ready()]


def planes(*places: int, c: int = 0) -> list[FrameKey]:
    return [FrameKey(z=z, c=c) for z in places]


def test_a_whole_stack_is_looked_at_when_its_last_plane_is_there() -> None:
    assert ready(stacks(STACK, planes(0))) == []
    assert ready(stacks(STACK, planes(0, 1))) == planes(0)
    whole = stacks(STACK, planes(0, 1, 2))
    assert ready(whole) == planes(0, 1, 2)
    assert [whole.task(key) for key in planes(0, 1, 2)] == [
        Task.JUDGE_PICTURE,
        Task.JUDGE_PICTURE,
        Task.FIND_CELLS,
    ]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_stack_that_lacks_a_plane_is_looked_at_when_no_more_comes(lost: int) -> None:
    there = planes(*({0, 1, 2} - {lost}))
    assert there[-1] not in ready(stacks(STACK, there))
    over = stacks(STACK, there, may_come=False)
    assert ready(over) == there
    assert [over.task(key) for key in there] == [Task.JUDGE_PICTURE, Task.FIND_CELLS]
    assert over.n_missing_planes(there[-1]) == 1


def test_no_plane_is_looked_at_twice_when_a_late_one_comes() -> None:
    late = stacks(STACK, planes(0, 1, 2), done=planes(0, 1), has_cells=planes(1))
    assert ready(late) == planes(2)
    assert late.task(FrameKey(z=2)) is Task.JUDGE_PICTURE


def test_other_channels_wait_for_the_cells() -> None:
    other, cells = FrameKey(c=0), FrameKey(c=1)
    assert ready(stacks(CHANNELS, [other])) == []
    assert ready(stacks(CHANNELS, [other, cells])) == [cells]
    found = stacks(CHANNELS, [other, cells], done=[cells], has_cells=[cells])
    assert ready(found) == [other]
    assert found.task(other) is Task.MEASURE_CELLS
    assert found.segmented_of(other) == cells


def test_other_channels_are_judged_where_no_cells_were_found() -> None:
    other, cells = FrameKey(c=0), FrameKey(c=1)
    failed = stacks(CHANNELS, [other, cells], done=[cells])
    assert failed.task(other) is Task.JUDGE_PICTURE
    lost = stacks(CHANNELS, [other], may_come=False)
    assert ready(lost) == [other]
    assert lost.task(other) is Task.JUDGE_PICTURE
    never = stacks(CHANNELS, [other], unexpected=[cells])
    assert ready(never) == [other]


def test_a_channel_with_one_plane_is_measured_in_that_plane() -> None:
    one_plane = plan(RunShape(c=2, z=3), segment_z=1)
    absent = planes(0, 2, c=1)
    stack = stacks(
        one_plane,
        [*planes(0, 1, 2), FrameKey(c=1, z=1)],
        done=planes(0, 1, 2),
        has_cells=planes(1),
        unexpected=absent,
    )
    assert ready(stack) == [FrameKey(c=1, z=1)]
    assert stack.task(FrameKey(c=1, z=1)) is Task.MEASURE_CELLS


def test_a_place_without_a_stack_is_segmented_in_the_plane_that_it_has() -> None:
    mixed = plan(RunShape(p=2, z=3), segment_z=1)
    flat = [FrameKey(p=1, z=z) for z in (1, 2)]
    stack = stacks(mixed, [FrameKey(p=1)], unexpected=flat)
    assert stack.task(FrameKey(p=1)) is Task.FIND_CELLS


def test_both_cameras_are_measured_and_one_is_segmented() -> None:
    cameras = plan(RunShape(cam=2), segment_cam=1)
    left, right = FrameKey(cam=0), FrameKey(cam=1)
    before = stacks(cameras, [left, right])
    assert ready(before) == [right]
    assert before.task(right) is Task.FIND_CELLS
    after = stacks(cameras, [left, right], done=[right], has_cells=[right])
    assert after.task(left) is Task.MEASURE_CELLS


def test_in_a_run_of_unknown_length_a_frame_is_not_awaited_for_ever() -> None:
    endless = plan(RunShape(t=4, c=2), segment_c=1, is_open=True)
    other = FrameKey(t=0, c=0)
    assert ready(stacks(endless, [other, FrameKey(t=1)])) == []
    assert other in ready(stacks(endless, [other, FrameKey(t=2)]))


def test_every_frame_is_given_once_in_whatever_order_planes_come() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        there: list[FrameKey] = []
        done: list[FrameKey] = []
        tasks: list[Task] = []
        for z in order:
            there.append(FrameKey(z=z))
            one = stacks(STACK, there, done=done)
            given = ready(one)
            tasks += [one.task(key) for key in given]
            done += given
        assert sorted(done) == planes(0, 1, 2)
        assert tasks.count(Task.FIND_CELLS) == 1
