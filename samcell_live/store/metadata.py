"""OME-Zarr 0.5 metadata of a run, built and checked with yaozarrs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from yaozarrs import v05

from samcell_live.store import layout
from samcell_live.store.arrays import replace_file
from samcell_live.store.plan import RunPlan, View, plate_row_name


def axis_names(plan: RunPlan) -> list[str]:
    """Axes of the raw and label arrays, slowest first."""
    return ["t", "c", "z", "y", "x"] if plan.has_z else ["t", "c", "y", "x"]


def image_attributes(plan: RunPlan, view: View) -> dict[str, Any]:
    """Attributes of one view's image group."""
    top = float(2**plan.bits - 1)
    channels = [
        v05.OmeroChannel(
            label=plan.picture_name(place, cam),
            color=channel.color,
            active=(place, cam) == (plan.segment_c, plan.segment_cam),
            window=v05.OmeroWindow(start=0.0, min=0.0, end=top, max=top),
        )
        for place, channel in enumerate(plan.channels)
        for cam in range(plan.shape.cam)
    ]
    image = v05.Image(
        multiscales=[_multiscale(plan, view.name)],
        omero=v05.Omero(channels=channels),
    )
    return _ome(image)


def label_attributes(plan: RunPlan, name: str) -> dict[str, Any]:
    """Attributes of the label image of one analysis in one view."""
    return _ome(
        v05.LabelImage(
            multiscales=[_multiscale(plan, name)],
            **{"image-label": v05.ImageLabel(source=v05.LabelSource(image="../../"))},
        )
    )


def labels_attributes(names: list[str]) -> dict[str, Any]:
    """Attributes of the ``labels`` group, which lists the label images."""
    return _ome(v05.LabelsGroup(labels=names))


def root_attributes(plan: RunPlan) -> dict[str, Any]:
    """Attributes of the run's own group: a plate, or a series of images."""
    if not plan.has_plate:
        return _ome(v05.Bf2Raw(**{"bioformats2raw.layout": 3}))
    attributes = _ome(_plate(plan))
    # The version's old place, which ome-zarr-models still asks for.
    attributes["ome"]["plate"]["version"] = "0.5"
    return attributes


def well_attributes(plan: RunPlan) -> dict[str, dict[str, Any]]:
    """Attributes of each well's group, by its path."""
    return {
        path: _ome(
            v05.Well(
                well=v05.WellDef(
                    images=[
                        v05.FieldOfView(path=view.path.rsplit("/", 1)[1])
                        for view in plan.views
                        if _well_path(view) == path
                    ]
                )
            )
        )
        for path in dict.fromkeys(map(_well_path, plan.views))
    }


def series_attributes(plan: RunPlan) -> dict[str, Any]:
    """Attributes of the ``OME`` group of a run without a plate."""
    return _ome(v05.Series(series=[view.path for view in plan.views]))


def write_ome_xml(path: Path, plan: RunPlan) -> None:
    """Write the OME-XML of a run; napari-ome-zarr refuses a series list without it."""
    from samcell_live.store.ome_xml import ome_xml  # slow to import

    replace_file(path / layout.OME / "METADATA.ome.xml", ome_xml(plan))


def label_dtype(plan: RunPlan) -> str:
    """Smallest label type that no real culture can overflow.

    A field would need a cell on every 64 pixels to run out of 16 bits.
    """
    most_cells = plan.height_px * plan.width_px // 64
    return "uint16" if most_cells <= np.iinfo(np.uint16).max else "uint32"


def _plate(plan: RunPlan) -> v05.Plate:
    rows, columns = plan.plate_rows or 0, plan.plate_columns or 0
    wells = {(view.row or 0, view.column or 0): _well_path(view) for view in plan.views}
    return v05.Plate(
        plate=v05.PlateDef(
            name=plan.name,
            rows=[v05.Row(name=plate_row_name(row)) for row in range(rows)],
            columns=[v05.Column(name=str(column + 1)) for column in range(columns)],
            wells=[
                v05.PlateWell(path=path, rowIndex=row, columnIndex=column)
                for (row, column), path in wells.items()
            ],
            field_count=max(
                sum(_well_path(view) == path for view in plan.views)
                for path in wells.values()
            ),
        )
    )


def _well_path(view: View) -> str:
    return view.path.rsplit("/", 1)[0]


def _multiscale(plan: RunPlan, name: str) -> v05.Multiscale:
    axes: list[Any] = [v05.TimeAxis(name="t", unit="second"), v05.ChannelAxis(name="c")]
    unit = "micrometer" if plan.pixel_size_um else None
    axes += [v05.SpaceAxis(name=axis, unit=unit) for axis in axis_names(plan)[2:]]
    scale = [plan.interval_s or 1.0, 1.0]
    scale += [1.0] if plan.has_z else []
    scale += [plan.pixel_size_um or 1.0] * 2
    dataset = v05.Dataset(
        path="0", coordinateTransformations=[v05.ScaleTransformation(scale=scale)]
    )
    return v05.Multiscale(name=name, axes=axes, datasets=[dataset])


def _ome(model: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"ome": dumped}
