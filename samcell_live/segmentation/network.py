"""SAMCell's network: SAM's image encoder and mask decoder, asked for a distance map.

There is no prompt. SAM's "no mask" prompt embedding stands in for one, and of the four
masks that its decoder knows only the first of the three "multimask" ones is computed.
Kirillov et al., Segment Anything, ICCV 2023; doi 10.1371/journal.pone.0319532 for SAMCell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    TwoWayTransformer,
)
from torch import nn
from torch.nn import functional

from samcell_live.segmentation.decoder import decode
from samcell_live.segmentation.encoder import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

PATCH_PX = 16
"""SAM's encoder sees squares of this side as one."""

PROMPT_CHANNELS = 256
DECODER_NORM_EPSILON = 1e-6
"""As in transformers, where SAMCell was trained; segment_anything itself has 1e-5."""


@dataclass(frozen=True, slots=True)
class SamArchitecture:
    """What distinguishes one SAM from another; read from its tensors."""

    width: int
    depth: int
    heads: int
    mlp_ratio: float
    window: int
    """Side of an attention window, in patches."""
    global_blocks: tuple[int, ...]
    """Blocks that attend to the whole image."""
    grid: int
    """Patches along each side of the image."""

    @property
    def name(self) -> str:
        """``vit_b``, ``vit_l``, ``vit_h``, or the width of another."""
        known = {(768, 12): "vit_b", (1024, 24): "vit_l", (1280, 32): "vit_h"}
        return known.get((self.width, self.depth), f"vit_{self.width}x{self.depth}")

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SamArchitecture:
        """Read the architecture from the shapes of SAM's own state dict.

        Raises
        ------
        ValueError
            If tensors that tell it are missing.
        """
        try:
            return cls._read(tensors)
        except KeyError as missing:
            raise ValueError(
                f"These weights lack the tensor {missing.args[0]}, which every SAM has. "
                "Give SAM's or SAMCell's weights, complete."
            ) from missing

    @classmethod
    def _read(cls, tensors: Mapping[str, Tensor]) -> SamArchitecture:
        position = tensors["image_encoder.pos_embed"]
        grid, width = position.shape[1], position.shape[-1]
        block = "image_encoder.blocks.{}.{}".format
        depth = sum(name.endswith("attn.rel_pos_h") for name in tensors)
        spans = [tensors[block(i, "attn.rel_pos_h")].shape[0] for i in range(depth)]
        return cls(
            width=width,
            depth=depth,
            heads=width // tensors[block(0, "attn.rel_pos_h")].shape[1],
            mlp_ratio=tensors[block(0, "mlp.lin1.weight")].shape[0] / width,
            window=(min(spans) + 1) // 2,
            global_blocks=tuple(i for i, span in enumerate(spans) if span == 2 * grid - 1),
            grid=grid,
        )


class SamcellNetwork(nn.Module):
    """SAM, from a tile to its distance map.

    Its state dict is SAM's own, so Meta's checkpoints load as they are.

    Parameters
    ----------
    architecture : SamArchitecture

    Attributes
    ----------
    recomputes_blocks : bool
        Train with less memory and more time: see `encode`.
    """

    def __init__(self, architecture: SamArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.recomputes_blocks = False
        grid, image_px = architecture.grid, architecture.grid * PATCH_PX
        self.image_encoder = ImageEncoderViT(
            img_size=image_px,
            patch_size=PATCH_PX,
            embed_dim=architecture.width,
            depth=architecture.depth,
            num_heads=architecture.heads,
            mlp_ratio=architecture.mlp_ratio,
            out_chans=PROMPT_CHANNELS,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=architecture.window,
            global_attn_indexes=architecture.global_blocks,
        )
        self.prompt_encoder = PromptEncoder(
            embed_dim=PROMPT_CHANNELS,
            image_embedding_size=(grid, grid),
            input_image_size=(image_px, image_px),
            mask_in_chans=16,
        ).requires_grad_(False)
        self.mask_decoder = MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=PROMPT_CHANNELS, mlp_dim=2048, num_heads=8
            ),
            transformer_dim=PROMPT_CHANNELS,
        )
        for layer in self.mask_decoder.transformer.layers:
            for norm in (layer.norm1, layer.norm2, layer.norm3, layer.norm4):
                norm.eps = DECODER_NORM_EPSILON
        self._places: Tensor
        self.register_buffer("_places", None, persistent=False)
        self._embed_places()
        self.register_load_state_dict_post_hook(SamcellNetwork._embed_places)  # type: ignore[no-untyped-call]

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SamcellNetwork:
        """Build the network that these weights belong to.

        Parameters
        ----------
        tensors : mapping
            A state dict in SAM's own names.

        Raises
        ------
        ValueError
            If tensors are missing, unexpected or of a wrong shape; the message names them.
        """
        with torch.device("meta"):
            network = cls(SamArchitecture.from_tensors(tensors))
        float32 = {name: tensor.float() for name, tensor in tensors.items()}
        try:
            network.load_state_dict(float32, assign=True)
        except RuntimeError as error:
            raise ValueError(
                f"These weights do not make a SAM {network.architecture.name}: {error}"
            ) from error
        return network.eval()

    def forward(self, tiles: Tensor) -> Tensor:
        """Predict the distance maps of tiles, before their sigmoid.

        Parameters
        ----------
        tiles : (n, 1, side, side) float32
            Grey values from 0 to 1; side is 256, a quarter of what SAM sees. Tiles of
            another side are resized, and their maps are resized back.

        Returns
        -------
        (n, 1, side, side) float32
            Logits.
        """
        side_px = self.architecture.grid * PATCH_PX
        logits = self.predict_enlarged(
            functional.interpolate(tiles.float(), size=(side_px, side_px), mode="bilinear")
        )
        if logits.shape == tiles.shape:
            return logits
        return functional.interpolate(
            logits, size=tiles.shape[-2:], mode="bilinear", antialias=True
        )

    def predict_enlarged(self, enlarged: Tensor) -> Tensor:
        """Predict the distance maps of tiles that were enlarged elsewhere.

        Parameters
        ----------
        enlarged : (n, 1, 4 * side, 4 * side) float32
            Grey values from 0 to 1; 4 * side is 1024. NaN is where there is no image.

        Returns
        -------
        (n, 1, side, side) float32
            Logits.

        Raises
        ------
        ValueError
            If these are no grey images of the side that SAM sees.
        """
        side_px = self.architecture.grid * PATCH_PX
        if enlarged.shape[1:] != (1, side_px, side_px):
            raise ValueError(
                f"Enlarged tiles have the shape {tuple(enlarged.shape)}; "
                f"this network needs (n, 1, {side_px}, {side_px})."
            )
        return self._decode(
            encode(self.image_encoder, enlarged, recompute=self.recomputes_blocks)
        )

    def decode(self, embedding: Tensor) -> Tensor:
        """Turn SAM's embedding (n, 256, grid, grid) into logits (n, 1, side, side)."""
        return self._decode(embedding.permute(0, 2, 3, 1))

    def _decode(self, embedding: Tensor) -> Tensor:
        no_prompt = self.prompt_encoder.no_mask_embed.weight[0]
        return decode(self.mask_decoder, embedding + no_prompt, self._places)

    def _embed_places(self, *_: object) -> None:
        """Embed each patch's place: the same for every image, until weights are loaded."""
        with torch.no_grad():
            self._places = self.prompt_encoder.get_dense_pe()
