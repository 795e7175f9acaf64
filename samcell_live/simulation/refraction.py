"""How much each part of a cell delays the light: what phase contrast makes visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.randomness import trait
from samcell_live.simulation.textures import grain, sample, specks

if TYPE_CHECKING:
    from samcell_live.simulation.anatomy import Anatomy
    from samcell_live.simulation.arrays import Map

FLAT_RAD = 0.115
"""Mean delay of a flat cell of `FLAT_UM2`; cells that spread further become thinner."""
FLAT_UM2 = 1660.0
SPHERE_RAD = 3.2
"""Delay through the middle of a round cell."""
EDGE_UM = 1.5
"""Width of the edge over which a flat cell gains its height."""
N_NUCLEOLI = 3


def delay_rad(anatomy: Anatomy) -> Map:
    """Phase delay of the light, (height, width) in radians, 0 on the floor."""
    cells, line = anatomy.cells, anatomy.line
    thickness = 0.6 + 2.2 * trait(cells.identity, "thickness") ** 3
    mean_rad, sphere_rad, rounded, rough, radius_um = anatomy.spread(
        FLAT_RAD * (FLAT_UM2 / cells.area_um2) ** 0.7 * thickness * line.thickness,
        SPHERE_RAD * line.thickness * (0.7 + 0.6 * trait(cells.identity, "sphere")),
        cells.roundness**5,
        line.contents * (0.5 + trait(cells.identity, "roughness")),
        np.sqrt(cells.area_um2 / np.pi),
    )
    edge = EDGE_UM / radius_um
    dome = np.clip(1 - anatomy.depth**2, 0, 1)
    rise = np.clip((1 - anatomy.depth) / edge, 0, 1)
    seam = 1 - 0.8 * np.exp(-((anatomy.lead / (0.9 * edge)) ** 2))
    flat_rad = mean_rad * (0.75 + 0.5 * dome) + rough * _ruffles_rad(anatomy, radius_um)
    flat_rad = flat_rad * np.sqrt(rise) * seam
    body_rad = flat_rad * (1 - rounded) + sphere_rad * np.sqrt(dome) * rounded
    return anatomy.image(body_rad + rise * rough * _contents_rad(anatomy, dome))


def _ruffles_rad(anatomy: Anatomy, radius_um: Map) -> Map:
    """Dark folds at the ends of tips."""
    out_um = np.hypot(anatomy.along_um, anatomy.across_um)
    from_edge_um = (1 - anatomy.depth) * out_um
    ruffles = np.clip(out_um / radius_um - 1, 0, 1) * np.exp(-((from_edge_um / 7) ** 2))
    return np.asarray(0.5 * ruffles)


def _contents_rad(anatomy: Anatomy, dome: Map) -> Map:
    """Cytoplasm, granules, vacuoles, nucleus and nucleoli; they move with the cell."""
    y_um, x_um = anatomy.texture_places_um()
    fine = 0.03 * sample(grain("cytoplasm", 1.5, 6.0), y_um, x_um)
    coarse = 0.035 * sample(grain("organelles", 4.0, 16.0), y_um, x_um)
    granules = 0.7 * dome**2 * sample(specks("granules", 2.0, 8.0, 0.03), y_um, x_um)
    vacuoles = 0.8 * dome * sample(specks("vacuoles", 3.0, 14.0, 0.003), y_um, x_um)
    nuclear = np.clip((1.08 - anatomy.nucleus) * 4, 0, 1)
    envelope = 0.05 * np.exp(-(((anatomy.nucleus - 1) / 0.15) ** 2))
    outside = (1 - nuclear) * (granules - vacuoles) + (1 - 0.6 * nuclear) * (fine + coarse)
    return np.asarray(outside + envelope - 0.06 * nuclear + _nucleoli_rad(anatomy))


def _nucleoli_rad(anatomy: Anatomy) -> Map:
    """Dark spots in the nucleus."""
    delay = np.zeros_like(anatomy.depth)
    within = np.flatnonzero(anatomy.nucleus < 1)
    along_um, across_um = anatomy.along_um[within], anatomy.across_um[within]
    identity = anatomy.cells.identity
    for k in range(N_NUCLEOLI):
        name = f"nucleolus {k}"
        turn_rad = 2 * np.pi * trait(identity, f"{name} direction")
        out_um = 4.8 * np.sqrt(trait(identity, f"{name} distance"))
        x_um, y_um, size_um, strength = anatomy.spread(
            out_um * np.cos(turn_rad),
            out_um * np.sin(turn_rad),
            0.8 + 0.8 * trait(identity, f"{name} size"),
            0.75 * np.where(trait(identity, f"{name} presence") > 0.3 * k, 1, 0.35),
        )[:, within]
        apart = np.hypot(along_um - x_um, across_um - y_um) / size_um
        delay[within] += strength * np.exp(-(apart**2))
    return delay
