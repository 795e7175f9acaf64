"""A network where it runs: its device, its number format, what fits in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor, nn

    from samcell_live.settings import Precision, WantedPrecision

logger = logging.getLogger(__name__)

MOST_SIDE_BY_SIDE = 4
"""Tiles that a CPU works on at once, each with its share of the threads.

Threads that share a tile wait for each other thousands of times in SAM's attention, and
for long where other programs take a core meanwhile. Each tile more takes 1 to 2 GB.
"""


def choose_device(name: str) -> torch.device:
    """Give the device of this name; ``auto`` is the fastest that is there.

    Raises
    ------
    ValueError
        If the device is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, found in there.items() if found))
    found = ", ".join(kind for kind, is_there in there.items() if is_there)
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"{name!r} is no device of torch's; here are: {found}.") from error
    if not there.get(device.type, False):
        raise ValueError(
            f"The device {name} is not available to torch {torch.__version__}; "
            f"here are: {found}. Set device to one of them, or to auto."
        )
    return device


def choose_precision(
    wanted: WantedPrecision, device: torch.device, *, bears_bfloat16: bool
) -> Precision:
    """Give the number format that is wanted; ``auto`` is the fastest that moves no cells.

    On GPUs and for networks that were not measured in bfloat16 that is float32.
    """
    if wanted != "auto":
        return wanted
    fast = bears_bfloat16 and device.type == "cpu" and _computes("bfloat16", device)
    return "bfloat16" if fast else "float32"


def check_precision(precision: WantedPrecision, device: torch.device) -> None:
    """Refuse a number format that the device only emulates, many times slower.

    Raises
    ------
    ValueError
        If the device computes nothing in it.
    """
    if precision in ("auto", "float32") or _computes(precision, device):
        return
    raise ValueError(
        f"This {device.type} has no instructions for {precision}, so it would be slower "
        "than float32 here. Set precision to float32."
    )


def _computes(precision: str, device: torch.device) -> bool:
    if device.type == "cuda":
        least = (8, 0) if precision == "bfloat16" else (7, 0)
        return torch.cuda.get_device_capability(device) >= least
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        if precision == "bfloat16":
            return bool(has.get("amx_bf16") or has.get("avx512_bf16"))
        return bool(has.get("amx_fp16") or has.get("avx512_fp16"))
    return precision == "float16"  # Apple's GPUs


class Inference:
    """A network as a function from tiles to distance maps.

    When the device runs out of memory the batch is halved, for this call and for all
    later ones, and the work goes on; only a single tile that does not fit is an error.

    Parameters
    ----------
    network : nn.Module
        From (n, 1, height, width) to logits of the same shape; moved to `device`.
    device : torch.device
    precision : str
        Number format of matrix products and convolutions; the sigmoid is float32.
    batch_tiles : int
        Most tiles at once.
    compiled : bool
        Compile the network when it is first used, which takes minutes.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        *,
        precision: Precision = "float32",
        batch_tiles: int = 8,
        compiled: bool = False,
    ) -> None:
        check_precision(precision, device)
        self.device = device
        self.precision = precision
        self.batch_tiles = batch_tiles
        self._dtype: torch.dtype = getattr(torch, precision)
        self._network = network.to(device)
        # A compiled network is made for one shape: batches are filled up to it.
        self._filled = batch_tiles if compiled else 0
        if compiled:
            logger.warning(
                "Compiling the network for %s: the first image takes minutes.", device
            )
            self._network = torch.compile(self._network)  # type: ignore[assignment]

    def __call__(self, tiles: Tensor) -> Tensor:
        """Predict distance maps.

        Parameters
        ----------
        tiles : (n, height, width) float32
            On any device.

        Returns
        -------
        (n, height, width) float32
            0 to 1, on the device of `tiles`.

        Raises
        ------
        torch.OutOfMemoryError
            If not even one tile fits.
        """
        if len(tiles) > self.batch_tiles:
            return torch.cat([self(part) for part in torch.split(tiles, self.batch_tiles)])
        try:
            return self._predict(tiles)
        except torch.OutOfMemoryError:
            if len(tiles) == 1:
                raise
        # Outside the handler, where the failed attempt's tensors are no longer held.
        self.batch_tiles = len(tiles) // 2
        self._filled = min(self._filled, self.batch_tiles)
        logger.warning(
            "%d tiles did not fit in the memory of %s; going on with %d at once.",
            len(tiles),
            self.device,
            self.batch_tiles,
        )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return self(tiles)

    def _predict(self, tiles: Tensor) -> Tensor:
        n_workers = min(len(tiles), torch.get_num_threads(), MOST_SIDE_BY_SIDE)
        if self.device.type != "cpu" or n_workers == 1 or self._filled:
            return self._predict_together(tiles)
        share = torch.get_num_threads() // n_workers
        workers = ThreadPoolExecutor(n_workers, "tiles", torch.set_num_threads, (share,))
        with _torch_threads(share), workers:
            return torch.cat(
                list(workers.map(self._predict_together, torch.split(tiles, 1)))
            )

    def _predict_together(self, tiles: Tensor) -> Tensor:
        missing = max(0, self._filled - len(tiles))
        filled = functional.pad(tiles, (0, 0, 0, 0, 0, missing)) if missing else tiles
        low = self._dtype is not torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._dtype, enabled=low),
        ):
            batch = filled[:, None].to(self.device, non_blocking=True)
            maps = torch.sigmoid(self._network(batch)[:, 0].float())
            return maps[: len(tiles)].to(tiles.device)


@contextmanager
def _torch_threads(n_threads: int) -> Iterator[None]:
    """Let torch's operations use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
