"""Side by side: the package samcell 1.2.0 itself, and what we make of its method.

The package catches every error and answers with an empty image, so the tests also ask
for cells.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import samcell_package
import torch
from seeing_sam import seeing_sam, simulated_field
from skimage.segmentation import relabel_sequential
from torch import Tensor, nn
from torch.nn import functional

from samcell_live.records import Labels
from samcell_live.segmentation.conversion import from_hugging_face
from samcell_live.segmentation.network import SamcellNetwork
from samcell_live.segmentation.reference import (
    TileArrays,
    centroid_markers,
    predict_as_reference,
)
from samcell_live.segmentation.reference_network import ReferenceNetwork
from samcell_live.segmentation.segmenter import load_segmenter
from samcell_live.segmentation.watershed import split_cells
from samcell_live.settings import SegmentationSettings

PEAK, FILL = 0.47, 0.09


@pytest.fixture(scope="session")
def package() -> ModuleType:
    """``samcell.pipeline``, or a reason to skip."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    folder = samcell_package.usual_folder()
    try:
        samcell_package.install(folder)
    except samcell_package.NotInstalledError as error:
        pytest.skip(str(error))
    return samcell_package.load(folder)


class DarkSpots(nn.Module):
    """In SAM's place, a network that sees cells where it is darker than around."""

    def forward(self, pixel_values: Tensor, *, multimask_output: bool) -> dict[str, Tensor]:
        """Answer as transformers' SamModel does."""
        assert multimask_output
        few = functional.avg_pool2d(pixel_values, 4).mean(dim=1, keepdim=True)
        near = functional.avg_pool2d(few, 9, stride=1, padding=4)
        far = functional.avg_pool2d(few, 31, stride=1, padding=15)
        logits = 5 * (far - near) - 1
        return {"pred_masks": torch.stack([logits, -logits, 0 * logits], dim=2)}

    def predict_tiles(self, tiles: TileArrays) -> TileArrays:
        """Answer as the function that `predict_as_reference` wants."""
        process, maps = samcell_package.sam_processor(), []
        for tile in tiles:
            exists = ~np.isnan(tile)
            crop = tile[exists.any(axis=1)][:, exists.any(axis=0)].astype(np.uint8)
            seen = process(np.stack([crop] * 3, axis=-1), return_tensors="pt")
            answer = self(seen["pixel_values"], multimask_output=True)
            maps.append(torch.sigmoid(answer["pred_masks"][0, 0, 0]).numpy())
        return np.stack(maps)


def in_order(labels: Labels) -> Labels:
    return np.asarray(relabel_sequential(labels)[0], dtype=np.int32)


@pytest.mark.parametrize("shape_px", [(256, 256), (300, 400), (520, 704), (385, 601)])
def test_the_distance_map_and_the_labels_are_the_package_s(
    package: ModuleType, shape_px: tuple[int, int]
) -> None:
    image, network = simulated_field(shape_px).image, DarkSpots()

    theirs = samcell_package.pipeline(package, network).run(image, return_dist_map=True)
    distance = predict_as_reference(image, network.predict_tiles)
    markers = centroid_markers(distance > PEAK)
    labels = split_cells(
        distance, peak_threshold=PEAK, fill_threshold=FILL, markers=markers
    )

    np.testing.assert_allclose(distance, theirs[1], rtol=0, atol=1e-5)
    assert np.array_equal(labels, in_order(theirs[0]))
    assert labels.max() > 10


@pytest.mark.slow
def test_the_preset_segments_as_the_package_does(
    package: ModuleType, tmp_path: Path
) -> None:
    model = seeing_sam(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_dim=64,
        global_attn_indexes=[1],
    )
    weights = tmp_path / "sam.pt"
    torch.save(model.state_dict(), weights)
    settings = SegmentationSettings(
        model=str(weights), preset="reference", precision="float32"
    )
    image = simulated_field((300, 400)).image

    theirs = samcell_package.pipeline(package, model).run(image, return_dist_map=True)
    ours = load_segmenter(settings, device="cpu")(image)

    assert theirs[1].std() > 0.1
    np.testing.assert_allclose(ours.distance, theirs[1], rtol=0, atol=1e-4)
    assert np.array_equal(ours.labels, in_order(theirs[0]))
    assert ours.labels.max() > 10


@pytest.mark.slow
def test_a_tile_through_a_third_of_vit_b_is_the_package_s(package: ModuleType) -> None:
    # All twelve layers are compared with transformers', which the package runs, in
    # test_network.
    model = seeing_sam(num_hidden_layers=4, global_attn_indexes=[1, 3])
    image, batches = simulated_field((256, 256)).image, []
    network = SamcellNetwork.from_tensors(from_hugging_face(model.state_dict()))

    def keep(tiles: TileArrays) -> TileArrays:
        batches.append(torch.from_numpy(tiles))
        return tiles

    predict_as_reference(image, keep)
    theirs = samcell_package.pipeline(package, model).get_model_prediction(image)
    with torch.inference_mode():
        ours = torch.sigmoid(ReferenceNetwork(network)(batches[0][:1, None]))[0, 0]

    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
