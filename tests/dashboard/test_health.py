"""How the numbers were made."""

from __future__ import annotations

from growing_run import Begin, GrowingRun

from samcell_live.store.firings import Firing, write_firings
from samcell_live.store.processes import ACQUISITION, ProcessRecord, analysis_role


def said(run: GrowingRun) -> list[str]:
    return [f"{fact.name}: {fact.value}" for fact in run.page().facts]


def test_the_model_and_its_weights_stand_beside_the_numbers(begin: Begin) -> None:
    assert said(begin()) == [
        "Model: starter, network starter",
        "Computed on: cpu, float32",
        "Made by: samcell_live 0, weights abc123",
    ]


def test_the_worker_says_how_fast_it_is(begin: Begin) -> None:
    run = begin()
    with ProcessRecord(
        run.path, analysis_role("cells"), lambda: {"seconds_per_frame": 0.4567}
    ):
        pass

    assert "Analysis: 0.46 s per frame" in said(run)


def test_a_lost_frame_and_a_slow_disk_are_alarms(begin: Begin) -> None:
    run = begin()
    with ProcessRecord(
        run.path,
        ACQUISITION,
        lambda: {"lost": 1, "written_in_place": 3, "last_error": "OSError: disk full"},
    ):
        pass

    alarms = [fact.value for fact in run.page().facts if fact.is_alarm]

    assert alarms == [
        "1 frame could not be written",
        "the camera waited for 3 frames",
        "OSError: disk full",
    ]


def test_a_healthy_acquisition_raises_no_alarm(begin: Begin) -> None:
    run = begin()
    with ProcessRecord(
        run.path, ACQUISITION, lambda: {"lost": 0, "written_in_place": 0, "last_error": ""}
    ):
        pass

    assert not any(fact.is_alarm for fact in run.page().facts)


def test_what_a_rule_did_stands_there_the_newest_first(begin: Begin) -> None:
    run = begin()
    fired = [Firing(0.0, "late", "stop", "all", t, (0.8,)) for t in range(6)]
    fired.append(Firing(0.0, "late", "alert", "all", 6, (0.8,)))
    fired.append(Firing(0.0, "lamp", "preset Lamp: on", "all", 7, (0.9,), "no lamp"))
    write_firings(run.path, fired)
    shown = [fact for fact in run.page().facts if fact.name == "Rule"]
    assert [fact.value for fact in shown[:2]] == [
        "Rule 'lamp' (all at timepoint 7: 0.9): preset Lamp: on failed, no lamp",
        "Rule 'late' (all at timepoint 6: 0.8): alert",
    ]
    assert [fact.is_alarm for fact in shown] == [True, True, False, False, False]
