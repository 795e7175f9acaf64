"""Confluence of a replayed gap-closing assay against its authors' own numbers.

    samcell-live replay FOLDER --store gap.ome.zarr
    python benchmarks/gap_closing.py gap.ome.zarr FOLDER/reference_confluence_AA.txt

The reference has a line per fifth image: number of the image, three columns of its own
making, and the confluence in percent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from samcell_live.store.reader import RunReader


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("reference", type=Path)
    options = parser.parse_args()
    lines = [
        line.split() for line in options.reference.read_text().splitlines() if line.strip()
    ]
    theirs = pd.Series({int(line[0]): float(line[-1].rstrip("%")) for line in lines})
    series = RunReader(options.store).series("cells").set_index("t")
    ours = 100 * series["confluence"].loc[theirs.index]
    table = pd.DataFrame(
        {"authors": theirs, "samcell_live": ours, "difference": ours - theirs}
    )
    print(table.round(1).to_string())
    difference = ours - theirs
    print(f"mean difference {difference.mean():+.1f} points")
    print(f"largest difference {difference.abs().max():.1f} points")
    print(f"correlation {theirs.corr(ours):.3f}")


if __name__ == "__main__":
    main()
