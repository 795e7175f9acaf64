"""Rules are read from a configuration, and mistakes in them are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from samcell_live.rules import AcquireOnce, ChangeInterval, Rule, SetPreset
from samcell_live.settings import RunSettings

SEQUENCE = {"channels": ["phase"], "time_plan": {"interval": 1, "loops": 2}}
FULL = {"when": {"above": 0.8}, "then": "stop"}


def settings(*rules: dict[str, Any]) -> RunSettings:
    return RunSettings.model_validate({"sequence": SEQUENCE, "rules": rules})


def test_a_rule_says_when_and_what() -> None:
    (rule,) = settings(FULL).rules
    assert rule.title == "median confluence above 0.8"
    assert (rule.when.group, rule.when.for_scans, rule.once) == ("all", 1, True)


@pytest.mark.parametrize(
    ("then", "kind", "words"),
    [
        ({"interval_s": 60}, ChangeInterval, "interval 60 s"),
        ({"preset": {"group": "Lamp", "name": "on"}}, SetPreset, "preset Lamp: on"),
        ({"sequence": {"channels": ["nuclei"]}}, AcquireOnce, "sequence"),
    ],
)
def test_there_is_more_to_do_than_words_can_say(
    then: dict[str, Any], kind: type, words: str
) -> None:
    (rule,) = settings(FULL | {"then": then}).rules
    assert isinstance(rule.then, kind)
    assert str(rule.then) == words


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wen": 1}, "wen is not a setting here"),
        ({"when": {"above": 0.8, "colum": "focus"}}, "colum is not a setting here"),
        ({"when": {"above": 0.8, "column": "happiness"}}, "give one of confluence, "),
        ({"when": {}}, "give either above or below"),
        ({"when": {"above": 0.8, "below": 0.9}}, "give either above or below"),
        ({"when": {"above": 0.8, "statistic": "mode"}}, "'median', 'mean', 'min' or 'max'"),
        ({"when": {"above": 0.8, "for_scans": 0}}, "for_scans"),
        ({"then": "dance"}, "'alert', 'stop' or 'skip_wells'"),
        ({"then": {"interval": 5}}, "give alert, stop, skip_wells, or one of interval_s"),
        ({"then": ["stop"]}, "give alert, stop, skip_wells, or one of interval_s"),
        ({"then": {"interval_s": -5}}, "greater than 0"),
        ({"then": {"interval_s": 5, "loops": 2}}, "loops is not a setting here"),
        ({"then": {"preset": {"group": "Lamp"}}}, "name is missing"),
        ({"then": {"sequence": {"chanels": []}}}, "unknown key 'chanels'"),
        ({"then": {"sequence": SEQUENCE}}, "leave out its time_plan"),
    ],
)
def test_a_mistake_is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"sequence": SEQUENCE, "rules": [FULL | changes]}))
    with pytest.raises(ValueError, match=message):
        RunSettings.from_yaml(path)


def test_rules_come_back_from_a_run_as_they_went_in() -> None:
    before = settings(
        FULL,
        FULL | {"then": {"interval_s": 60}},
        FULL | {"then": {"sequence": {"channels": [{"config": "nuclei", "exposure": 5}]}}},
    )
    kept = before.model_dump(mode="json", exclude={"sequence"})
    again = RunSettings.model_validate({**kept, "sequence": SEQUENCE})
    assert [str(rule.then) for rule in again.rules] == ["stop", "interval 60 s", "sequence"]
    assert again.rules[:2] == before.rules[:2]
    assert list(_extra(again.rules[2])) == list(_extra(before.rules[2]))


def _extra(rule: Rule) -> Any:
    assert isinstance(rule.then, AcquireOnce)
    return rule.then.sequence
