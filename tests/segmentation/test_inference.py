"""A network uses what its device has, and no more."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, nn

from samcell_live.segmentation.inference import Inference, check_precision

CPU = torch.device("cpu")


class FitsOnly(nn.Module):
    """Stands for a network on a device with memory for a few tiles."""

    def __init__(self, most_tiles: int) -> None:
        super().__init__()
        self.most_tiles = most_tiles
        self.seen: list[int] = []

    def forward(self, tiles: Tensor) -> Tensor:
        self.seen.append(len(tiles))
        if len(tiles) > self.most_tiles:
            raise torch.OutOfMemoryError("no memory left")
        return tiles


def tiles(n: int) -> Tensor:
    return torch.rand(n, 4, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.usefixtures("one_thread")
def test_short_memory_halves_the_batch_and_loses_nothing() -> None:
    network = FitsOnly(most_tiles=3)
    predict = Inference(network, CPU, batch_tiles=8)

    maps = predict(tiles(8))

    assert torch.equal(maps, torch.sigmoid(tiles(8)))
    assert network.seen == [8, 4, 2, 2, 2, 2]


@pytest.mark.usefixtures("one_thread")
def test_short_memory_is_remembered(caplog: pytest.LogCaptureFixture) -> None:
    network = FitsOnly(most_tiles=2)
    predict = Inference(network, CPU, batch_tiles=4)
    predict(tiles(4))
    network.seen.clear()

    predict(tiles(4))

    assert network.seen == [2, 2]
    assert predict.batch_tiles == 2
    assert caplog.messages == [
        "4 tiles did not fit in the memory of cpu; going on with 2 at once."
    ]


def test_a_cpu_works_on_tiles_side_by_side() -> None:
    together = threading.Barrier(2)

    class Meets(nn.Module):
        def forward(self, tiles: Tensor) -> Tensor:
            assert torch.get_num_threads() == 1
            together.wait(timeout=60)
            return tiles

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        maps = Inference(Meets(), CPU)(tiles(4))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

    torch.testing.assert_close(maps, torch.sigmoid(tiles(4)))


def test_a_tile_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        Inference(FitsOnly(most_tiles=0), CPU)(tiles(3))


def test_a_compiled_network_sees_batches_of_one_size_and_the_user_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch, "compile", lambda network: network)
    network = FitsOnly(most_tiles=8)

    maps = Inference(network, CPU, batch_tiles=4, compiled=True)(tiles(6))

    assert network.seen == [4, 4]
    torch.testing.assert_close(maps, torch.sigmoid(tiles(6)))
    assert "the first image takes minutes" in caplog.text


def test_other_errors_are_not_taken_for_short_memory() -> None:
    class Broken(nn.Module):
        def forward(self, tiles: Tensor) -> Tensor:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        Inference(Broken(), CPU)(tiles(3))


def test_low_precision_reaches_the_network_and_not_the_map() -> None:
    class Convolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(1, 1, 1)
            self.dtypes: list[torch.dtype] = []

        def forward(self, tiles: Tensor) -> Tensor:
            logits: Tensor = self.convolution(tiles)
            self.dtypes.append(logits.dtype)
            return logits

    try:
        check_precision("bfloat16", CPU)
    except ValueError as no_instructions:
        pytest.skip(str(no_instructions))
    network = Convolution()

    maps = Inference(network, CPU, precision="bfloat16")(tiles(2))

    assert set(network.dtypes) == {torch.bfloat16}
    assert maps.dtype == torch.float32


def test_a_number_format_without_instructions_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})

    check_precision("float32", CPU)
    for precision in ("bfloat16", "float16"):
        with pytest.raises(ValueError, match=f"no instructions for {precision}"):
            check_precision(precision, CPU)
