"""The scores that the paper gives, to stand beside ours.

A. D. VandeLoo et al., "SAMCell: Generalized label-free biological cell segmentation with
segment anything", PLOS ONE 20 (2025), doi 10.1371/journal.pone.0319532, and its S1
Appendix. OP_CSB throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from samcell_live.training.thresholds import Thresholds

DOI = "10.1371/journal.pone.0319532"


class Study(StrEnum):
    """What is varied."""

    TRAINED_ON = "Training data"
    MODEL = "Model"
    PATCH = "Patch size"
    INITIAL = "Initial weights"
    THRESHOLDS = "Thresholds"


LIVECELL, CYTO, HEK, N2A = "LIVECell", "Cyto", "PBL-HEK", "PBL-N2a"
ALL = "mean"

SCORES: Mapping[tuple[Study, str, str], float] = {
    (Study.TRAINED_ON, "LIVECell", HEK): 0.466,
    (Study.TRAINED_ON, "LIVECell", N2A): 0.720,
    (Study.TRAINED_ON, "Cyto", HEK): 0.454,
    (Study.TRAINED_ON, "Cyto", N2A): 0.807,
    (Study.TRAINED_ON, "Cyto + LIVECell", HEK): 0.598,
    (Study.TRAINED_ON, "Cyto + LIVECell", N2A): 0.824,
    (Study.MODEL, "SAM-B", HEK): 0.598,
    (Study.MODEL, "SAM-B", N2A): 0.824,
    (Study.MODEL, "SAM-L", HEK): 0.637,
    (Study.MODEL, "SAM-L", N2A): 0.842,
    (Study.PATCH, "128 x 128", HEK): 0.487,
    (Study.PATCH, "128 x 128", N2A): 0.820,
    (Study.PATCH, "256 x 256", HEK): 0.598,
    (Study.PATCH, "256 x 256", N2A): 0.824,
    (Study.PATCH, "512 x 512", HEK): 0.540,
    (Study.PATCH, "512 x 512", N2A): 0.765,
    (Study.INITIAL, "pretrained", LIVECELL): 0.772,
    (Study.INITIAL, "pretrained", CYTO): 0.739,
    (Study.INITIAL, "pretrained", HEK): 0.598,
    (Study.INITIAL, "pretrained", N2A): 0.824,
    (Study.INITIAL, "random", LIVECELL): 0.309,
    (Study.INITIAL, "random", CYTO): 0.282,
    (Study.INITIAL, "random", HEK): 0.418,
    (Study.INITIAL, "random", N2A): 0.727,
}
"""By study, row and the data set that was judged on."""

THRESHOLDS: Mapping[str, Thresholds] = {
    HEK: Thresholds(0.50, 0.08, 0.605),
    N2A: Thresholds(0.45, 0.10, 0.831),
    ALL: Thresholds(0.47, 0.09, 0.715),
}
"""The best pairs, by data set."""
