"""The JSON API under ``/api/v1``: everything the page shows, for other programs too.

Runs are named by id and views by number, never by path. See ``docs/dashboard.md``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar, get_args

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from samcell_dashboard import wire
from samcell_dashboard.colours import ThemeName
from samcell_dashboard.figures import Axis, Metric, Scale, growth_figure
from samcell_dashboard.images import frame_png, outlines_png
from samcell_dashboard.library import Library, Run
from samcell_dashboard.page import Page
from samcell_dashboard.reading import UnreadableRunError, reading
from samcell_live.records import FrameKey
from samcell_live.store.reader import RawNotKeptError

logger = logging.getLogger(__name__)

IMMUTABLE = "private, max-age=86400, immutable"
"""A frame of a run, and a result of one edition of its analysis, are written once."""

Option = TypeVar("Option", bound=str)


class Api:
    """Answers for one library.

    Parameters
    ----------
    library : Library
        The runs that may be asked for.
    place : str
        Where they lie, as whoever asks may know it.
    """

    def __init__(self, library: Library, place: str) -> None:
        self._library = library
        self._place = place
        self._complaints: set[str] = set()

    def routes(self) -> Blueprint:
        """Give each address its answer."""
        routes = Blueprint("api", __name__, url_prefix="/api/v1")
        one_run = "/runs/<run_id>"
        one_frame = f"{one_run}/views/<int:view>/frames/<int:t>"
        answers: dict[str, Callable[..., Response]] = {
            "/runs": self.runs,
            one_run: self.about,
            f"{one_run}/updates": self.updates,
            one_frame: self.frame,
            f"{one_frame}/image.png": self.image,
            f"{one_frame}/outlines.png": self.outlines,
            "/growth-figure": growth_chart,
        }
        for address, answer in answers.items():
            routes.add_url_rule(address, view_func=answer)
        routes.register_error_handler(HTTPException, _refusal)
        routes.register_error_handler(UnreadableRunError, self._unreadable)
        return routes

    def runs(self) -> Response:
        """List the runs, the newest first and those that cannot be read last."""
        found = [self._summary(run) for run in self._library.runs()]
        found.sort(key=lambda run: run["created"] or "", reverse=True)
        return _json({"runs": found, "folder": self._place})

    def about(self, run_id: str) -> Response:
        """Say what does not change while a run goes on."""
        return _json(wire.run_about(self._run(run_id)))

    def updates(self, run_id: str) -> Response:
        """Give every small panel, and of the long tables what is new since a cursor."""
        feed = self._run(run_id).feed
        return _json(wire.updates(*feed.changes(request.args.get("since"))))

    def frame(self, run_id: str, view: int, t: int) -> Response:
        """Say what is known of one frame."""
        run = self._run(run_id)
        page = run.feed.page()
        _key(page, view, t)
        return _json(wire.frame(page, t, view))

    def image(self, run_id: str, view: int, t: int) -> Response:
        """Show one frame."""
        run = self._run(run_id)
        page = run.feed.page()
        key = _key(page, view, t)
        if not page.grid.acquired[t, view]:
            abort(404, f"{key} has not been acquired.")
        with reading(run.path):
            try:
                pixels = run.feed.reader.picture(key, page.snapshot.analysis)
            except RawNotKeptError as error:
                abort(404, str(error))
        # Until a whole stack is analysed, its last plane stands for it.
        is_final = page.snapshot.vitals.plan.stack == "plane" or page.grid.analysed[t, view]
        return _png(frame_png(pixels), is_final=bool(is_final))

    def outlines(self, run_id: str, view: int, t: int) -> Response:
        """Show the cells of one frame, to be laid over its image."""
        run = self._run(run_id)
        page = run.feed.page()
        key = _key(page, view, t)
        if not page.grid.analysed[t, view]:
            abort(404, f"{key} has no result.")
        with reading(run.path):
            labels = run.feed.reader.labels(key, page.snapshot.analysis)
        is_final = request.args.get("edition") == page.snapshot.edition
        return _png(outlines_png(labels), is_final=is_final)

    def _run(self, run_id: str) -> Run:
        run = self._library.run(run_id)
        if run is None:
            abort(404, "There is no such run here, or another has taken its place.")
        return run

    def _summary(self, run: Run) -> wire.Json:
        try:
            return wire.run_summary(run)
        except UnreadableRunError as error:
            self._complain(error)
            return wire.unreadable_run(run, str(error))

    def _unreadable(self, error: UnreadableRunError) -> Response:
        self._complain(error)
        answer = _json({"error": str(error)})
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return answer

    def _complain(self, error: UnreadableRunError) -> None:
        """Log what is wrong, but not every second anew."""
        if str(error) not in self._complaints:
            self._complaints.add(str(error))
            logger.warning("A run cannot be read", exc_info=error)


def growth_chart() -> Response:
    """Give the growth chart without its points."""
    metric: Metric = _choice("metric", get_args(Metric))
    scale: Scale = _choice("scale", get_args(Scale))
    axis: Axis = _choice("axis", get_args(Axis))
    theme: ThemeName = _choice("theme", get_args(ThemeName))
    figure = growth_figure(metric, scale, axis, theme)
    return Response(figure.to_json(), mimetype="application/json")


def _key(page: Page, view: int, t: int) -> FrameKey:
    """Key of the segmented frame of a view at a timepoint."""
    plan = page.snapshot.vitals.plan
    if view >= len(plan.views) or t >= plan.shape.t:
        abort(
            404,
            f"There is no view {view} at timepoint {t}: this run has {len(plan.views)} "
            f"views and {plan.shape.t} timepoints, both counted from 0.",
        )
    return plan.shape.key(int(page.grid.slots[t, view]))


def _choice(name: str, options: tuple[Option, ...]) -> Option:
    given = request.args.get(name, options[0])
    for option in options:
        if option == given:
            return option
    abort(400, f"{name} is {given!r}; choose one of {', '.join(options)}.")


def _json(value: wire.Json) -> Response:
    answer = Response(wire.dumps(value), mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _png(data: bytes, *, is_final: bool) -> Response:
    answer = Response(data, mimetype="image/png")
    answer.headers["Cache-Control"] = IMMUTABLE if is_final else "no-store"
    return answer


def _refusal(error: HTTPException) -> Response:
    answer = _json({"error": error.description})
    answer.status_code = error.code or 500
    return answer
