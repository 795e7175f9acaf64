"""The little that tells how a run is: who works on it, and where its frames are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samcell_dashboard.account import Account, account, ahead
from samcell_live.store.plan import RunPlan
from samcell_live.store.processes import ACQUISITION, ProcessState, analysis_role
from samcell_live.store.reader import RunReader
from samcell_live.store.results import ANALYSED, FAILED

DEFAULT_ANALYSIS = "cells"


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes that work on a run, by what they said last."""

    asked_s: float
    """Seconds since 1970, UTC."""
    acquisition: ProcessState | None
    worker: ProcessState | None

    @property
    def is_analysing(self) -> bool:
        """Whether somebody is at work on the frames that wait."""
        return self.worker is not None and self.worker.is_alive(self.asked_s)


@dataclass(frozen=True, slots=True)
class Vitals:
    """How a run is."""

    plan: RunPlan
    crew: Crew
    is_acquiring: bool
    """Whether more frames are to come. A run without a record is taken at its plan."""
    account: Account


def read_vitals(reader: RunReader, now_s: float) -> Vitals:
    """Read no more than it takes to list a run among others."""
    analysis = shown_analysis(reader)
    crew = read_crew(reader, analysis, now_s)
    committed = reader.committed(analysis)
    return vitals(
        reader.plan,
        crew,
        acquired=reader.acquired(),
        rank=reader.rank(),
        n_analysed=int(np.count_nonzero(committed == ANALYSED)),
        n_failed=int(np.count_nonzero(committed == FAILED)),
    )


def read_crew(reader: RunReader, analysis: str, now_s: float) -> Crew:
    """Ask who works on a run: before its tables, so that an ended run is read complete."""
    worker = reader.process(analysis_role(analysis))
    return Crew(now_s, reader.process(ACQUISITION), worker)


def vitals(
    plan: RunPlan,
    crew: Crew,
    *,
    acquired: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    n_analysed: int,
    n_failed: int,
) -> Vitals:
    """Take stock; the arguments are those of `account`."""
    if crew.acquisition is None:
        is_acquiring = bool(ahead(acquired, rank).any())
    else:
        is_acquiring = crew.acquisition.is_alive(crew.asked_s)
    counts = account(
        acquired,
        rank,
        is_acquiring=is_acquiring,
        n_analysed=n_analysed,
        n_failed=n_failed,
    )
    return Vitals(plan, crew, is_acquiring, counts)


def shown_analysis(reader: RunReader) -> str:
    """Name of the analysis that the page shows: ``cells``, or else the first there is."""
    names = reader.analyses()
    return names[0] if names and DEFAULT_ANALYSIS not in names else DEFAULT_ANALYSIS
