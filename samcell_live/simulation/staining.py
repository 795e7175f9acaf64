"""How brightly each pixel glows, by what is stained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.randomness import trait
from samcell_live.simulation.textures import grain, sample

if TYPE_CHECKING:
    from samcell_live.simulation.anatomy import Anatomy
    from samcell_live.simulation.arrays import Map

MEMBRANE_UM = 1.2


def nuclear_glow(anatomy: Anatomy) -> Map:
    """Brightness, (height, width), about 1 in nuclei between divisions, 0 on the floor.

    Condensed chromosomes are brighter and, in `Anatomy`, smaller.
    """
    cells = anatomy.cells
    stain = 0.75 + 0.5 * trait(cells.identity, "stain")
    (brightness,) = anatomy.spread(stain * (1 + 1.4 * cells.condensation))
    chromatin = 1 + 0.12 * sample(
        grain("chromatin", 2.0, 8.0), *anatomy.texture_places_um()
    )
    solid = np.clip((1.05 - anatomy.nucleus) * 6, 0, 1)
    haze = 0.04 * np.exp(-((anatomy.nucleus / 2) ** 2))
    return anatomy.image(brightness * (solid * chromatin + haze))


def cytoplasm_glow(anatomy: Anatomy) -> Map:
    """Brightness of a dye that fills cells but for their nuclei, about 1 in flat cells."""
    cells = anatomy.cells
    stain = 0.4 + 1.2 * trait(cells.identity, "dye") ** 2
    (brightness,) = anatomy.spread(stain * (1 + 1.5 * cells.roundness))
    y_um, x_um = anatomy.texture_places_um()
    texture = 1 + 0.2 * sample(grain("organelles", 4.0, 16.0), y_um, x_um)
    dome = 0.35 + 0.65 * np.sqrt(np.clip(1 - anatomy.depth**2, 0, 1))
    nucleus = 1 - 0.5 * np.clip((1.1 - anatomy.nucleus) * 4, 0, 1)
    return anatomy.image(brightness * dome * nucleus * np.clip(texture, 0.3, None))


def membrane_glow(anatomy: Anatomy) -> Map:
    """Brightness of stained membranes, about 1 at the edges of cells."""
    cells = anatomy.cells
    radius_um, stain = anatomy.spread(
        np.sqrt(cells.area_um2 / np.pi), 0.6 + 0.8 * trait(cells.identity, "membrane stain")
    )
    from_edge_um = np.minimum(1 - anatomy.depth, anatomy.lead) * radius_um
    return anatomy.image(stain * (0.15 + np.exp(-((from_edge_um / MEMBRANE_UM) ** 2))))
