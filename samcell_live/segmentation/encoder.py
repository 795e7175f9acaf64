"""SAM's image encoder on its own modules, leaner: the same sums in another order.

segment_anything's `ImageEncoderViT` holds the parameters and gives them their names; its
forward is not called. What differs: one grey channel goes in instead of three equal ones,
padding of windows is not projected, attention never writes its bias out, and patches
stay in the last-channel order throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from samcell_live.segmentation.attention import attend

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

CPU_TOKENS = 1024
"""Tokens that go through a CPU's multilayer perceptron at once: 12 MB in ViT-B.

More would be taken from and given back to the operating system for each layer.
"""


def encode(encoder: Any, enlarged: Tensor, *, recompute: bool = False) -> Tensor:
    """Embed grey images as SAM does.

    Parameters
    ----------
    encoder : segment_anything.modeling.ImageEncoderViT
    enlarged : (n, 1, side, side) float32
        Grey values from 0 to 1; side is 1024 in the published models. NaN is where there
        is no image: SAM gets its mean colour there.
    recompute : bool
        Keep nothing inside a block for its gradient, and compute it again when that is
        asked for (Chen et al., arXiv 1604.06174): less memory, more time.

    Returns
    -------
    (n, grid, grid, 256)
    """
    patches = _embed_patches(encoder.patch_embed.proj, enlarged) + encoder.pos_embed
    for block in encoder.blocks:
        if recompute:
            patches = checkpoint(_pass_block, block, patches, use_reentrant=False)
        else:
            patches = _pass_block(block, patches)
    squeeze, norm1, mix, norm2 = encoder.neck
    squeezed = norm_last(norm1, functional.linear(patches, squeeze.weight.flatten(1)))
    return norm_last(norm2, mix(squeezed.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


def norm_last(norm: Any, pixels: Tensor) -> Tensor:
    """Normalise the last axis with SAM's `LayerNorm2d`, in float32 whatever comes in."""
    channels = (pixels.shape[-1],)
    return functional.layer_norm(pixels.float(), channels, norm.weight, norm.bias, norm.eps)


def _embed_patches(projection: Any, enlarged: Tensor) -> Tensor:
    """Embed grey patches: (n, 1, side, side) to (n, grid, grid, width).

    SAM sees grey as three equal channels, each brought to ImageNet's mean and deviation.
    Here both are taken into the weights, those of the grey value and those of there being
    an image at all. Always float32: in half precision a culture of little contrast would
    lose its grey levels before the network has seen them.
    """
    size_px: int = projection.kernel_size[0]
    with torch.autocast(enlarged.device.type, enabled=False):
        weight = projection.weight.float()
        mean = weight.new_tensor(IMAGENET_MEAN).view(3, 1, 1)
        scaled = weight / weight.new_tensor(IMAGENET_STD).view(3, 1, 1)
        both = torch.stack([scaled.sum(1), -(scaled * mean).sum(1)], dim=1)
        seen = torch.cat([enlarged.nan_to_num(0.0), (~enlarged.isnan()).float()], dim=1)
        grid = enlarged.shape[-1] // size_px
        patches = seen.view(-1, 2, grid, size_px, grid, size_px)
        patches = patches.permute(0, 2, 4, 1, 3, 5).flatten(3)
        return functional.linear(patches, both.flatten(1), projection.bias.float())


def _pass_block(block: Any, patches: Tensor) -> Tensor:
    patches = patches + _attend_in_block(block, block.norm1(patches))
    return patches + _transform(block.mlp, block.norm2(patches))


def _attend_in_block(block: Any, patches: Tensor) -> Tensor:
    """Attention of one block, in its windows or over the whole image.

    Takes and gives (n, rows, columns, width).
    """
    attention = block.attn
    n, rows, columns, width = patches.shape
    tokens = patches.flatten(1, 2)
    if block.window_size == 0:
        attended = _attend(attention, attention.qkv(tokens))
    else:
        to_windows, from_windows = _window_order(
            rows, columns, block.window_size, patches.device
        )
        # SAM pads windows with zeros and does not mask them: such a key is the bias of the
        # projection. One zero token gives it, and all padding is that token.
        projected = attention.qkv(functional.pad(tokens, (0, 0, 0, 1)))
        windows = projected.index_select(1, to_windows)
        attended = _attend(attention, windows.view(-1, block.window_size**2, 3 * width))
        attended = attended.reshape(n, -1, width).index_select(1, from_windows)
    return attention.proj(attended).view(n, rows, columns, width)  # type: ignore[no-any-return]


def _attend(attention: Any, projected: Tensor) -> Tensor:
    """Split into heads, attend, join: (n, length, 3 * width) to (n, length, width)."""
    n, length, _ = projected.shape
    heads = projected.view(n, length, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    queries, keys, values = heads.unbind(0)
    attended = attend(queries, keys, values, attention.rel_pos_h, attention.rel_pos_w)
    return attended.transpose(1, 2).flatten(2)


def _window_order(
    rows: int, columns: int, window: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Where the patches of an image go when it is cut into windows, and back.

    Returns
    -------
    to_windows : (n_windows * window * window,) int64
        Number of the patch at each place of each window; rows * columns for padding.
    from_windows : (rows * columns,) int64
        Place of each patch.
    """
    down, across = -(-rows // window), -(-columns // window)
    places = torch.arange(down * across * window * window, device=device)
    places = places.view(down, across, window, window).transpose(1, 2)
    places = places.reshape(down * window, across * window)  # as they lie in the image
    patches = torch.arange(rows * columns, device=device).view(rows, columns)
    padding = (0, across * window - columns, 0, down * window - rows)
    padded = functional.pad(patches, padding, value=rows * columns)
    to_windows = torch.empty_like(places.flatten())
    to_windows[places.flatten()] = padded.flatten()
    return to_windows, places[:rows, :columns].flatten()


def _transform(mlp: Any, patches: Tensor) -> Tensor:
    """Apply the multilayer perceptron; on a CPU in pieces that stay in its cache."""
    if patches.device.type != "cpu":
        return mlp(patches)  # type: ignore[no-any-return]
    pieces = torch.split(patches.flatten(0, 2), CPU_TOKENS)
    return torch.cat([mlp(piece) for piece in pieces]).view_as(patches)
