"""Weights are found by name, address or path, fetched once, and checked ever after."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from file_server import serving

from samcell_live.segmentation.weights import find_weights
from samcell_live.segmentation.weights.cache import at_address, cached_path, fetch
from samcell_live.segmentation.weights.registry import (
    PUBLISHED,
    SAM_TERMS,
    SAMCELL_TERMS,
    PublishedModel,
)

RIGHT = hashlib.sha256(b"weights").hexdigest()
FIND = "import sys; from samcell_live.segmentation.weights import find_weights as f; "


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for weights, empty, in place of the user's."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SAMCELL_LIVE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def published(url: str, sha256: str | None = None) -> PublishedModel:
    return PublishedModel("small", "for tests", url, "Not for sale.", sha256=sha256)


def test_weights_are_fetched_once_and_their_terms_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(b"weights") as served:
        first = fetch(published(served.address))
        again = fetch(published(served.address))

    assert first == again
    assert first.read_bytes() == b"weights"
    assert len(served.asked) == 1
    assert caplog.text.count("Not for sale.") == 1


def test_fetched_weights_need_no_network() -> None:
    with serving(b"weights") as served:
        fetch(published(served.address, RIGHT))

    assert fetch(published(served.address, RIGHT)).read_bytes() == b"weights"


def test_a_wrong_published_checksum_keeps_nothing(folder: Path) -> None:
    with (
        serving(b"tampered") as served,
        pytest.raises(ValueError, match=r"small\.pt gives is not what was published"),
    ):
        fetch(published(served.address, RIGHT))

    assert [path.name for path in folder.glob("*.pt*") if path.suffix != ".lock"] == []


@pytest.mark.parametrize("sha256", [None, RIGHT])
def test_fetched_weights_that_changed_are_refused(sha256: str | None) -> None:
    with serving(b"weights") as served:
        path = fetch(published(served.address, sha256))
    path.write_bytes(b"tampered")

    with pytest.raises(
        ValueError, match=r"small\.pt has changed, or is damaged.*Delete it"
    ):
        fetch(published(served.address, sha256))


def test_what_was_recorded_at_first_is_checked_when_fetched_again() -> None:
    with serving(b"weights") as served:
        fetch(published(served.address)).unlink()
        served.content = b"replaced"
        with pytest.raises(ValueError, match=r"not what was recorded when it was first"):
            fetch(published(served.address))


def test_the_record_is_sha256sums(folder: Path) -> None:
    with serving(b"weights") as served:
        path = fetch(published(served.address))

    record = path.with_name(f"{path.name}.sha256").read_text()
    assert record == f"{RIGHT}  {path.name}\n"


def test_a_file_that_is_not_offered_says_what_to_do() -> None:
    with (
        serving(b"weights", statuses=[404]) as served,
        pytest.raises(
            OSError, match=r"small\.pt could not be fetched: .*404.*give its path"
        ),
    ):
        fetch(published(served.address))


def test_no_network_says_what_to_do() -> None:
    with serving(b"weights") as served:
        pass

    with pytest.raises(OSError, match=r"could not be fetched: .*Try again later"):
        fetch(published(served.address))


def test_two_processes_fetch_a_file_once() -> None:
    content = bytes(range(256)) * 4_000
    with serving(content, hold_s=0.5) as served:  # so that the second comes meanwhile
        both = [
            subprocess.Popen(
                [sys.executable, "-c", FIND + "print(f(sys.argv[1]))", served.address],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        paths = {process.communicate()[0].strip() for process in both}

    (path,) = paths
    assert Path(path).read_bytes() == content
    assert len(served.asked) == 1


def test_an_address_is_a_model() -> None:
    with serving(b"weights", name="mine.safetensors") as served:
        path = find_weights(served.address)

    assert path.name.endswith("-mine.safetensors")
    assert path.read_bytes() == b"weights"


def test_two_addresses_that_end_alike_are_two_files() -> None:
    one, other = at_address("https://a.org/w.pt"), at_address("https://b.org/w.pt?x=1")

    assert cached_path(one) != cached_path(other)
    assert cached_path(other).name.endswith("-w.pt")


def test_an_addresss_odd_characters_stay_out_of_file_names() -> None:
    path = cached_path(at_address("https://a.org/x/%2e%2e%2fa%20b:c.pt"))

    assert path.name.endswith("-a_b_c.pt")


def test_a_path_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"")

    assert find_weights(str(path)) == path


def test_an_unknown_model_lists_the_known() -> None:
    with pytest.raises(
        ValueError, match=r"'startr' is neither .* starter, samcell-generalist"
    ):
        find_weights("startr")


def test_the_starter_is_in_the_package_and_small() -> None:
    path = find_weights("starter")

    assert path.parent.name == "models"
    assert 0 < path.stat().st_size <= 8_000_000


def test_sam_itself_is_refused_for_segmenting_before_it_is_fetched(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"sam-vit-b is SAM as Meta .* no distance maps"):
        find_weights("sam-vit-b")
    assert not folder.exists()


def test_sam_itself_is_refused_for_segmenting_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "renamed.pth"
    path.write_bytes(b"weights")
    small = dataclasses.replace(PUBLISHED["sam-vit-b"], size_bytes=7, sha256=RIGHT)
    monkeypatch.setitem(PUBLISHED, "sam-vit-b", small)

    with pytest.raises(ValueError, match=r"no distance maps"):
        find_weights(str(path))
    assert find_weights(str(path), for_training=True) == path


def test_sam_itself_is_there_for_training(folder: Path) -> None:
    with serving(b"weights", name="sam.pth") as served:
        sam = dataclasses.replace(
            PUBLISHED["sam-vit-b"], url=served.address, size_bytes=7, sha256=RIGHT
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(PUBLISHED, "sam-vit-b", sam)
            path = find_weights("sam-vit-b", for_training=True)

    assert path == folder / "sam.pth"


def test_a_published_address_is_the_published_model() -> None:
    with pytest.raises(ValueError, match=r"sam-vit-h is SAM as Meta"):
        find_weights(PUBLISHED["sam-vit-h"].url)


@pytest.mark.parametrize("name", PUBLISHED)
def test_whose_weights_they_are_is_said(name: str) -> None:
    assert PUBLISHED[name].terms == (
        SAMCELL_TERMS if name.startswith("samcell") else SAM_TERMS
    )
    assert "CC BY-NC" in SAMCELL_TERMS
    assert "Apache" in SAM_TERMS


def test_weights_put_into_the_folder_by_hand_are_taken(
    tmp_path: Path, folder: Path
) -> None:
    by_hand = tmp_path / "samcell-cyto.pt"
    by_hand.write_bytes(b"weights")
    folder.mkdir()
    shutil.copy(by_hand, folder)

    assert find_weights("samcell-cyto") == folder / "samcell-cyto.pt"
