"""How fast frames come and go: how far the analysis is behind, when the run ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from samcell_dashboard.snapshot import Snapshot
from samcell_live.records import NAN
from samcell_live.store.plan import RunPlan


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the analysis is behind the microscope."""

    frames: int
    oldest_s: float = NAN
    """Age of the oldest frame without a result; NaN if none waits or none is dated."""
    catch_up_s: float = NAN
    """When nothing will wait at the present pace; infinite: never, NaN: not known."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When frames come."""

    newest_s: float
    """When the last frame arrived, seconds since 1970; NaN before the first."""
    eta_s: float
    """Seconds until the last frame is acquired at the present pace; NaN: not known."""


def lag(snapshot: Snapshot, analysed_per_s: float) -> Lag:
    """Measure the lag.

    Parameters
    ----------
    snapshot : Snapshot
        The run now.
    analysed_per_s : float
        Results per second of late; NaN if not known.
    """
    frames, vitals = snapshot.frames, snapshot.vitals
    waiting = frames.index[frames["acquired"]].difference(snapshot.results.index)
    arrived_s = frames.loc[waiting, "time_s"].min() if len(waiting) else NAN
    gain_per_s = analysed_per_s
    if vitals.is_acquiring and math.isfinite(pace_s := _seconds_per_frame(snapshot)):
        gain_per_s -= 1 / pace_s
    if not len(waiting):
        catch_up_s = 0.0
    elif math.isnan(gain_per_s):
        catch_up_s = NAN
    else:
        catch_up_s = len(waiting) / gain_per_s if gain_per_s > 0 else math.inf
    return Lag(len(waiting), vitals.crew.asked_s - arrived_s, catch_up_s)


def arrivals(snapshot: Snapshot) -> Arrivals:
    """Tell when the last frame came, and when the last of all is to come."""
    n_to_come = snapshot.vitals.account.to_come
    return Arrivals(
        newest_s=float(snapshot.frames["time_s"].max()),
        eta_s=n_to_come * _seconds_per_frame(snapshot) if n_to_come else NAN,
    )


def frames_per_scan(plan: RunPlan) -> int:
    """Frames of one timepoint."""
    return plan.shape.n_slots // plan.shape.t


def _seconds_per_frame(snapshot: Snapshot) -> float:
    """Pace of the acquisition over its last scans; NaN if it cannot be told."""
    arrived_s = np.sort(snapshot.frames["time_s"].dropna().to_numpy())
    recent = arrived_s[-(10 * frames_per_scan(snapshot.vitals.plan) + 1) :]
    if recent.size < 2 or recent[-1] == recent[0]:
        return NAN
    return float(recent[-1] - recent[0]) / (recent.size - 1)
