"""The map of wells and positions."""

from __future__ import annotations

from builders import plan
from growing_run import Begin
from samcell_dashboard.colours import cividis
from samcell_dashboard.sites import site_map

from samcell_live.records import RunShape
from samcell_live.store.plan import View


def at(*places_um: tuple[float, float]) -> tuple[View, ...]:
    return tuple(
        View(path=str(i), name=f"P{i}", p=i, x_um=x, y_um=y)
        for i, (x, y) in enumerate(places_um)
    )


def test_a_plate_keeps_its_real_shape() -> None:
    places = site_map(plan(RunShape(t=1, p=3), plate=True))

    assert places.arrangement == "plate"
    assert (places.rows, places.columns) == (("A", "B"), ("1", "2", "3"))
    assert [site.name for site in places.sites] == ["A1", "A2", "A3"]


def test_the_fields_of_a_well_are_one_site() -> None:
    views = tuple(
        View(path=f"A/1/{g}", name=f"A1 {g}", g=g, row=0, column=0) for g in range(4)
    )
    run_plan = plan(RunShape(t=1, g=4), views=views, plate_rows=2, plate_columns=3)

    (site,) = site_map(run_plan).sites

    assert site.views == (0, 1, 2, 3)


def test_spread_positions_lie_as_on_the_stage() -> None:
    run_plan = plan(RunShape(t=1, p=3), views=at((0, 0), (9000, 0), (9000, 6000)))

    places = site_map(run_plan)

    assert places.arrangement == "stage"
    left, right, below = places.sites
    assert left.across < right.across == below.across
    assert left.down == right.down < below.down
    assert places.aspect == 1.5


def test_positions_too_close_to_be_tapped_are_listed() -> None:
    run_plan = plan(RunShape(t=1, p=3), views=at((0, 0), (10, 0), (9000, 0)))

    assert site_map(run_plan).arrangement == "list"


def test_positions_without_stage_coordinates_are_listed() -> None:
    assert site_map(plan(RunShape(t=1, p=3))).arrangement == "list"


def test_a_site_shows_its_latest_result_in_the_fixed_colour_of_its_value(
    begin: Begin,
) -> None:
    run = begin()
    run.scan(0, confluence=0.2)
    run.scan(1, confluence=0.4)

    (site,) = run.page().sites

    assert (site.confluence, site.fill, site.latest) == (0.4, cividis(0.4), (1,))


def test_a_site_without_a_result_has_no_colour(begin: Begin) -> None:
    run = begin()
    run.acquire(0)

    (site,) = run.page().sites

    assert (site.confluence, site.fill, site.latest) == (None, None, (0,))


def test_a_site_whose_latest_frame_failed_is_flagged_until_one_succeeds(
    begin: Begin,
) -> None:
    run = begin()
    run.scan(0)
    run.acquire(1)
    run.fail(1)
    flagged = run.page().sites[0].flag
    run.scan(2)

    assert flagged == "analysis failed"
    assert run.page().sites[0].flag == ""


def test_what_is_no_culture_is_flagged_and_said_at_the_head_of_the_page(
    begin: Begin,
) -> None:
    run = begin()
    run.scan(0, cell_likeness=0.05)

    page = run.page()

    assert page.sites[0].flag == "does not look like a culture"
    assert page.warning.startswith("This does not look like a culture")


def test_an_unknown_quality_is_not_held_against_a_run(begin: Begin) -> None:
    run = begin()
    run.scan(0, cell_likeness=float("nan"))

    assert run.page().warning == ""
