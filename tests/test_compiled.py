from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from samcell_live.compiled import compiled

SOURCE = """
def total(numbers):
    found = 0
    for number in numbers:
        found += number
    return found
"""


def test_a_function_whose_code_can_be_kept_nowhere_is_compiled_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scope: dict[str, type] = {}
    exec(SOURCE, scope)  # comes from no file, so numba finds no place for its code
    numbers: npt.NDArray[np.int64] = np.arange(5)

    with caplog.at_level("DEBUG", logger="samcell_live.compiled"):
        total = compiled(scope["total"])

    assert total(numbers) == 10
    assert "total is compiled anew in every process" in caplog.text
