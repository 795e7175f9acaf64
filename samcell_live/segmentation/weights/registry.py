"""The models that are known by name, and under which terms their weights are given."""

from __future__ import annotations

from dataclasses import dataclass

STARTER = "starter"

STARTER_TERMS = "As the package samcell_live: BSD-3-Clause."
SAMCELL_TERMS = (
    "SAMCell's weights were trained on LIVECell and Cellpose images, both CC BY-NC: "
    "not for commercial use, not to be passed on."
)
SAM_TERMS = "SAM's weights are Meta's, under the Apache License 2.0."

_SAMCELL_RELEASE = "https://github.com/saahilsanganeriya/SAMCell/releases/download/v1/"
_SAM_RELEASE = "https://dl.fbaipublicfiles.com/segment_anything/"


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A file of weights that its authors offer for download."""

    name: str
    what: str
    url: str
    terms: str
    """Said when the file is fetched."""
    size_bytes: int | None = None
    """None where it is not known."""
    sha256: str | None = None
    """None where no checksum is published: the first download's is recorded instead."""
    only_for_training: bool = False
    """Its masks are no distance maps."""


# The six digits in the names of Meta's files begin their MD5, not their SHA-256. The
# SHA-256 are those that micro-sam pins (computational-cell-analytics/micro-sam,
# micro_sam/util.py); many other projects pin the same ones.
PUBLISHED = {
    model.name: model
    for model in (
        PublishedModel(
            name="samcell-generalist",
            what="SAMCell, trained on LIVECell and Cellpose",
            url=_SAMCELL_RELEASE + "samcell-generalist.pt",
            terms=SAMCELL_TERMS,
        ),
        PublishedModel(
            name="samcell-cyto",
            what="SAMCell, trained on Cellpose's cytoplasm",
            url=_SAMCELL_RELEASE + "samcell-cyto.pt",
            terms=SAMCELL_TERMS,
        ),
        PublishedModel(
            name="sam-vit-b",
            what="SAM ViT-B, to start training from",
            url=_SAM_RELEASE + "sam_vit_b_01ec64.pth",
            terms=SAM_TERMS,
            size_bytes=375_042_383,
            sha256="ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
            only_for_training=True,
        ),
        PublishedModel(
            name="sam-vit-l",
            what="SAM ViT-L, to start training from",
            url=_SAM_RELEASE + "sam_vit_l_0b3195.pth",
            terms=SAM_TERMS,
            size_bytes=1_249_524_607,
            sha256="3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
            only_for_training=True,
        ),
        PublishedModel(
            name="sam-vit-h",
            what="SAM ViT-H, to start training from",
            url=_SAM_RELEASE + "sam_vit_h_4b8939.pth",
            terms=SAM_TERMS,
            size_bytes=2_564_550_879,
            sha256="a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
            only_for_training=True,
        ),
    )
}


def refuse_for_segmenting(model: PublishedModel) -> None:
    """Refuse a model whose masks are no distance maps.

    Raises
    ------
    ValueError
        If the model is only for training.
    """
    if model.only_for_training:
        usable = [name for name, it in PUBLISHED.items() if not it.only_for_training]
        raise ValueError(
            f"{model.name} is SAM as Meta trained it: its masks are no distance maps, so "
            "it finds no cells by itself. Training starts from it; to segment, give "
            f"{', '.join([STARTER, *usable])} or weights trained for cells."
        )
