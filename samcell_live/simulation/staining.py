"""How brightly each pixel glows when nuclei are stained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcell_live.simulation.randomness import trait
from samcell_live.simulation.textures import grain, sample

if TYPE_CHECKING:
    from samcell_live.simulation.anatomy import Anatomy
    from samcell_live.simulation.arrays import Map


def glow(anatomy: Anatomy) -> Map:
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
