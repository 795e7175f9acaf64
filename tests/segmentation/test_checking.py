"""A model is checked before a run begins, without torch where possible."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from samcell_live.segmentation.checking import check_model
from samcell_live.settings import SegmentationSettings


def check(path: Path) -> None:
    check_model(SegmentationSettings(model=str(path)))


def test_what_can_be_loaded_passes(
    tmp_path: Path, tiny_starter: Path, tiny_sam: dict[str, Tensor]
) -> None:
    wrapped, saved = tmp_path / "sam.safetensors", tmp_path / "sam.pt"
    save_file({f"module.{name}": tensor for name, tensor in tiny_sam.items()}, wrapped)
    torch.save(tiny_sam, saved)

    check_model(SegmentationSettings())
    for path in (tiny_starter, wrapped, saved):
        check(path)


@pytest.mark.parametrize("name", ["mine.pt", "mine.safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "neither a model nor a file"), (b"no", "damaged|no complete")],
)
def test_what_is_no_weights_file_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=message):
        check(path)


def test_a_file_that_was_cut_off_is_refused(tiny_starter: Path) -> None:
    tiny_starter.write_bytes(tiny_starter.read_bytes()[:-1])

    with pytest.raises(ValueError, match="no complete safetensors file"):
        check(tiny_starter)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"image_encoder.patch_embed.seq.0.c.weight": torch.zeros(1)}, path)

    with pytest.raises(ValueError, match="holds MobileSAM, not SAM"):
        check(path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="cuda is not available"):
        check_model(SegmentationSettings(device="cuda"))


def test_torch_stays_out_of_the_process_that_acquires(
    tiny_sam: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "sam.safetensors"
    save_file(tiny_sam, path)
    script = f"""
import sys
from samcell_live.microscope import monitor, simulated
from samcell_live.settings import SegmentationSettings
for model in ("starter", {str(path)!r}):
    monitor.check_model(SegmentationSettings(model=model))
assert not {{"torch", "numba"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
