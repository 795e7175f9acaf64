"""OME-XML of a run, made with ome-types.

Whoever only reads runs does not import this module: ome-types takes a second to import.
"""

from __future__ import annotations

from ome_types import OME
from ome_types.model import (
    Channel,
    Image,
    Pixels,
    Pixels_DimensionOrder,
    PixelType,
    TiffData,
    UnitsLength,
)

from samcell_live.store.plan import RunPlan


def ome_xml(plan: RunPlan) -> str:
    """Describe a run as OME-XML: one image for each view."""
    shape = plan.shape
    images = [
        Image(
            id=f"Image:{place}",
            name=view.name,
            pixels=Pixels(
                id=f"Pixels:{place}",
                dimension_order=Pixels_DimensionOrder.XYZCT,
                type=PixelType(plan.dtype),
                size_x=plan.width_px,
                size_y=plan.height_px,
                size_z=shape.z,
                size_c=shape.c * shape.cam,
                size_t=shape.t,
                physical_size_x=plan.pixel_size_um,
                physical_size_y=plan.pixel_size_um,
                physical_size_x_unit=UnitsLength.MICROMETER,
                physical_size_y_unit=UnitsLength.MICROMETER,
                channels=[
                    Channel(
                        id=f"Channel:{place}:{c}", name=channel.name, samples_per_pixel=1
                    )
                    for c, channel in enumerate(
                        channel for channel in plan.channels for _ in range(shape.cam)
                    )
                ],
                tiff_data_blocks=[TiffData(plane_count=0)],
            ),
        )
        for place, view in enumerate(plan.views)
    ]
    return OME(images=images, creator="samcell_live").to_xml()
