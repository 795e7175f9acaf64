"""Attention with SAM's decomposed relative positions, without writing their scores out.

A query at (y, x) scores a key at (Y, X) by ``q.k / sqrt(c) + q.R_h[y - Y] + q.R_w[x - X]``
(Li et al., MViTv2, CVPR 2022, as SAM uses it). Written out, the two last terms are as
large as the scores: 4096 x 4096 for each head of each tile. There are three ways round
that, and `attend` takes the fastest that device, precision and autograd allow:

- in one fused kernel, as 2 * side further dimensions of queries and keys: everywhere;
- row by row of the scores, for float32 without a fused kernel that would be as fast: CPU;
- looked up inside a kernel that the compiler makes: networks compiled for CUDA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from torch.nn.attention.flex_attention import flex_attention

if TYPE_CHECKING:
    from torch import Tensor

SCORES_BYTES = 2 * 2**20
"""Scores held at once when attending row by row: what the cache of a CPU core keeps."""


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    vertical: Tensor,
    horizontal: Tensor,
) -> Tensor:
    """Attend among the patches of squares, by content and by relative position.

    Parameters
    ----------
    queries, keys, values : (n, heads, side * side, channels)
        Patches of each square, row by row.
    vertical, horizontal : (2 * side - 1, channels)
        SAM's ``rel_pos_h`` and ``rel_pos_w``: offsets from ``1 - side`` to ``side - 1``.

    Returns
    -------
    (n, heads, side * side, channels), of the values' dtype
    """
    side = (vertical.shape[0] + 1) // 2
    by_row, by_column = _relative_scores(queries, vertical, horizontal, side)
    if torch.is_grad_enabled():  # neither of the others can be differentiated (quickly)
        return attend_augmented(queries, keys, values, by_row, by_column)
    if torch.compiler.is_compiling() and queries.is_cuda and _is_long(queries):
        return attend_with_lookups(queries, keys, values, by_row, by_column)
    if queries.dtype == torch.float32 and not queries.is_cuda and _is_long(queries):
        by_rows: Tensor = attend_by_rows(queries, keys, values, by_row, by_column)
        return by_rows
    return attend_augmented(queries, keys, values, by_row, by_column)


def attend_augmented(
    queries: Tensor, keys: Tensor, values: Tensor, by_row: Tensor, by_column: Tensor
) -> Tensor:
    """Attend in one fused kernel: the position's scores are part of the scalar product.

    A query is followed by its scores for each row and each column, a key by ones in its
    own row and column. The values are padded only because the fused kernels ask for
    one width; 64 + 2 * 64 stays below the 256 that flash attention takes.

    Parameters
    ----------
    queries, keys, values : (n, heads, side * side, channels)
    by_row, by_column : (n, heads, side, side, side)
        Scores of each query, by its row and column, for the rows and columns of keys.

    Returns
    -------
    (n, heads, side * side, channels)
    """
    channels, side = queries.shape[-1], by_row.shape[-1]
    own = torch.eye(side, dtype=keys.dtype, device=keys.device)
    own_row, own_column = own.repeat_interleave(side, 0), own.repeat(side, 1)
    places = torch.cat([own_row, own_column], -1).expand(*keys.shape[:2], -1, -1)
    attended = functional.scaled_dot_product_attention(
        torch.cat(
            [queries * channels**-0.5, by_row.flatten(2, 3), by_column.flatten(2, 3)], -1
        ),
        torch.cat([keys, places], -1),
        functional.pad(values, (0, 2 * side)),
        scale=1.0,
    )
    return attended[..., :channels]


@torch.library.custom_op("samcell_live::attend_by_rows", mutates_args=())
def attend_by_rows(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    by_row: torch.Tensor,
    by_column: torch.Tensor,
) -> torch.Tensor:
    """Attend with a few rows of scores at a time, which never leave the cache.

    As `attend_augmented`, without gradients. An operator of its own, so that the compiler
    takes it as it is instead of unrolling its loops.
    """
    n, heads, length, channels = queries.shape
    side = by_row.shape[-1]
    n_rows = max(1, SCORES_BYTES // (length * queries.element_size()))
    queries, keys = queries * channels**-0.5, keys.mT.contiguous()
    by_row, by_column = by_row.flatten(2, 3), by_column.flatten(2, 3)
    attended = torch.empty_like(queries)
    for tile in range(n):
        for head in range(heads):
            at = tile, head
            for start in range(0, length, n_rows):
                rows = slice(start, start + n_rows)
                scores = torch.mm(queries[at][rows], keys[at]).view(-1, side, side)
                scores += by_row[at][rows, :, None]
                scores += by_column[at][rows, None, :]
                shares = scores.view(-1, length).softmax(-1)
                torch.mm(shares, values[at], out=attended[at][rows])
    return attended


@attend_by_rows.register_fake
def _shape_of_attend_by_rows(queries: Tensor, *_: Tensor) -> Tensor:
    return torch.empty_like(queries)


def attend_with_lookups(
    queries: Tensor, keys: Tensor, values: Tensor, by_row: Tensor, by_column: Tensor
) -> Tensor:
    """Attend in a kernel that looks the position's scores up; made by the compiler.

    As `attend_augmented`, with a third of its multiplications at SAM's sizes. The scores
    are looked up where a matrix product left them: flex_attention on a CPU refuses
    what is still to be computed.
    """
    side = by_row.shape[-1]

    def add_position(
        score: Tensor, tile: Tensor, head: Tensor, query: Tensor, key: Tensor
    ) -> Tensor:
        at = tile, head, query // side, query % side
        return score + by_row[*at, key // side] + by_column[*at, key % side]

    attended = flex_attention(queries, keys, values, score_mod=add_position)
    assert isinstance(attended, torch.Tensor)  # for the type checker: no extras asked for
    return attended


def _relative_scores(
    queries: Tensor, vertical: Tensor, horizontal: Tensor, side: int
) -> tuple[Tensor, Tensor]:
    """Score the rows and the columns of keys: (n, heads, side, side, side) each."""
    here = torch.arange(side, device=queries.device)
    offsets = here[:, None] - here + side - 1  # [query's row, key's row]
    grid = queries.reshape(*queries.shape[:2], side, side, -1)
    by_row = torch.einsum("nhyxc,ykc->nhyxk", grid, vertical[offsets])
    by_column = torch.einsum("nhyxc,xkc->nhyxk", grid, horizontal[offsets])
    return by_row, by_column


def _is_long(queries: Tensor) -> bool:
    """Whether this is a whole tile's attention; a window's scores fit in the cache."""
    return queries.shape[2] ** 2 * queries.element_size() > SCORES_BYTES
