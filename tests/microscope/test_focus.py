"""The focus stays where the user put it, or it is said that it does not."""

import useq
from useq import MDASequence, WellPlatePlan

from samcell_live.microscope.focus import focus_trap, stacked_from, without_plate_z

WELLS = WellPlatePlan(
    plate="384-well", a1_center_xy=(0, 0), selected_wells=([0, 15], [0, 23])
)
STACK = {"range": 4, "step": 2}


def heights(sequence: MDASequence) -> list[float | None]:
    return [event.z_pos for event in sequence]


def test_wells_are_left_at_the_focus_as_it_is() -> None:
    sequence, plate = without_plate_z(MDASequence(stage_positions=WELLS))
    assert plate == (16, 24)
    assert heights(sequence) == [None, None]
    assert focus_trap(sequence) == ""


def test_stacks_in_wells_are_taken_around_the_focus() -> None:
    sequence, _ = without_plate_z(MDASequence(stage_positions=WELLS, z_plan=STACK))
    assert heights(stacked_from(sequence, 1500.0)) == [1498, 1500, 1502] * 2


def test_a_stack_without_a_position_is_taken_around_the_focus() -> None:
    sequence = MDASequence(z_plan=STACK, channels=["phase"])
    assert heights(stacked_from(sequence, 80.0)) == [78, 80, 82]


def test_positions_and_stacks_that_say_their_z_keep_it() -> None:
    placed = MDASequence(stage_positions=[(0, 0, 7)], z_plan=STACK)
    absolute = MDASequence(
        stage_positions=[(0, 0)], z_plan={"top": 3, "bottom": 1, "step": 2}
    )
    for sequence in (placed, absolute):
        assert stacked_from(sequence, 80.0) is sequence
        assert focus_trap(sequence) == ""


def test_a_position_with_a_stack_of_its_own_is_taken_around_the_focus() -> None:
    own = useq.Position(x=0, y=0, sequence=MDASequence(z_plan=STACK))
    sequence = MDASequence(stage_positions=[own, (5, 5)], channels=["phase"])
    assert heights(stacked_from(sequence, 80.0)) == [78, 80, 82, None]


def test_what_another_program_does_to_the_focus_is_said() -> None:
    wells = focus_trap(MDASequence(stage_positions=WELLS))
    assert wells.startswith("All 2 wells of this sequence have z = 0, so the microscope")
    stack = focus_trap(MDASequence(stage_positions=[(0, 0)], z_plan=STACK))
    assert stack.startswith("This sequence takes z-stacks around positions that have no z")
