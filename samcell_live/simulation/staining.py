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
    brightness, shift_um = anatomy.spread(
        (0.75 + 0.5 * trait(cells.identity, "stain")) * (1 + 1.4 * cells.condensation),
        256 * trait(cells.identity, "texture"),
    )
    y_um, x_um = anatomy.across_um + shift_um, anatomy.along_um + 3 * shift_um
    chromatin = 1 + 0.12 * sample(grain("chromatin", 2.0, 8.0), y_um, x_um)
    solid = np.clip((1.05 - anatomy.nucleus) * 6, 0, 1)
    haze = 0.04 * np.exp(-((anatomy.nucleus / 2) ** 2))
    return anatomy.image(brightness * (solid * chromatin + haze))
