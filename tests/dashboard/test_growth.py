"""The curves of the fits."""

from __future__ import annotations

import pytest
from growing_run import Begin
from samcell_dashboard.growth import fit_curve, forecast_curve


def test_without_a_fit_there_is_no_curve(begin: Begin) -> None:
    found = begin().page().growth

    assert fit_curve(found) is None
    assert forecast_curve(found) is None


def test_the_fit_lies_on_the_cells_of_one_field(begin: Begin) -> None:
    run = begin(12, 3)
    for t in range(10):
        run.scan(t, cell_count=10 * 2 ** (t / 5), confluence=0.1)

    curve = fit_curve(run.page().growth)

    assert curve is not None
    assert (curve.hours[0], curve.hours[-1]) == (0, 9)
    assert curve.values[0] == pytest.approx(10, rel=1e-3)
    assert curve.values[-1] == pytest.approx(10 * 2 ** (9 / 5), rel=1e-3)


def test_the_forecast_goes_on_from_the_last_point_to_the_threshold(begin: Begin) -> None:
    run = begin()
    for t in range(10):
        run.scan(t, confluence=0.05 * 2 ** (t / 5))

    page = run.page()
    curve = forecast_curve(page.growth)

    assert curve is not None
    assert curve.hours[0] == 9
    assert curve.values[0] == pytest.approx(page.scans[-1].confluence, abs=1e-3)
    assert curve.values[-1] == pytest.approx(0.8)
    assert curve.values == sorted(curve.values)


def test_a_threshold_that_was_reached_is_not_forecast(begin: Begin) -> None:
    run = begin()
    for t, confluence in enumerate((0.5, 0.7, 0.85, 0.9)):
        run.scan(t, confluence=confluence)

    assert forecast_curve(run.page().growth) is None
