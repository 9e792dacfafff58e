"""Batches of image files that a list names."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from netdef.data.errors import DataError
from netdef.data.image_list import ImageListBatches, read_list
from netdef.data.reader import Context
from netdef.data.transform import Transform
from netdef.diag import FieldError


@pytest.fixture
def folder(tmp_path):
    """Five images of one colour each: red i, green 2 i, blue 3 i."""
    lines = []
    for i in range(5):
        Image.new("RGB", (7, 5), (i, 2 * i, 3 * i)).save(tmp_path / f"an image {i}.png")
        lines.append(f"an image {i}.png {10 * i}")
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n\n")
    return tmp_path


def make(folder, batch=3, transform=None, **settings):
    context = Context(seed=settings.pop("seed", 0), folder=folder)
    return ImageListBatches(
        folder / "list.txt", batch, transform or Transform(), context, **settings
    )


def batch(batches, first):
    out = [np.full(shape, np.nan, np.float32) for shape in batches.shapes]
    batches.fill(first, out)
    return out


def test_images_and_labels_over_and_over(folder):
    batches = make(folder)
    assert batches.shapes == ((3, 3, 5, 7), (3,))
    data, label = batch(batches, 3)
    assert label.tolist() == [30, 40, 0]
    assert data[1, :, 2, 3].tolist() == [12, 8, 4]  # blue, green, red
    batches.close()


def test_gray(folder):
    batches = make(folder, color=False)
    assert batches.shapes == ((3, 1, 5, 7), (3,))
    assert batch(batches, 3)[0][1, 0, 0, 0] == 7  # 0.299 * 4 + 0.587 * 8 + 0.114 * 12


def test_root_folder_is_put_in_front_as_it_is(folder):
    (folder / "list.txt").write_text("image 1.png 1\n")
    batches = make(folder, 1, root_folder=f"{folder}/an ")
    assert batch(batches, 0)[0][0, 2, 0, 0] == 1


def test_images_of_many_sizes(folder):
    Image.new("RGB", (4, 9), (9, 9, 9)).save(folder / "an image 1.png")
    with pytest.raises(DataError, match=r"line 2 of .* is 3×9×4, the first is 3×5×7"):
        batch(make(folder), 0)
    batches = make(folder, size=(6, 8))
    assert batches.shapes[0] == (3, 3, 6, 8)
    assert batch(batches, 0)[0][1].min() == 9
    batches = make(folder, size=(6, 8), transform=Transform(crop_size=4, scale=0.5))
    assert batches.shapes[0] == (3, 3, 4, 4)
    assert batch(batches, 0)[0][1].max() == 4.5


def test_crop_is_checked(folder):
    with pytest.raises(FieldError, match="the images of 3×5×7 are smaller"):
        make(folder, transform=Transform(crop_size=6))


def test_shuffle_gives_every_image_once_each_time_round(folder):
    batches = make(folder, 5, shuffle=True)
    rounds = [batch(batches, 5 * n)[1].tolist() for n in range(6)]
    assert all(sorted(labels) == [0, 10, 20, 30, 40] for labels in rounds)
    assert len({tuple(labels) for labels in rounds}) > 2
    again = make(folder, 3, shuffle=True)
    flat = [label for labels in rounds for label in labels]
    assert batch(again, 4)[1].tolist() == flat[4:7]
    again.reseed(1)
    assert [batch(again, 5 * n)[1].tolist() for n in range(6)] != rounds


def test_rand_skip(folder):
    starts = {batch(make(folder, 1, rand_skip=3, seed=seed), 0)[1][0] for seed in range(30)}
    assert starts == {0, 10, 20}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "lists no images"),
        ("a.png 1\nb.png", r"line 2 of .* ends in `b.png`, which is no label"),
        ("a.png 1.5", r"line 1 of .* ends in `1.5`, which is no label"),
        ("7", "line 1 of .* has no path"),
        ("nowhere.png 1", "line 1 of .*: `nowhere.png` does not exist"),
        ("list.txt 1", "line 1 of .*: `list.txt` holds an image that cannot be decoded"),
    ],
)
def test_lists_that_are_refused(folder, text, expected):
    (folder / "list.txt").write_text(text)
    with pytest.raises(DataError, match=expected):
        make(folder)


def test_no_list(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_list(tmp_path / "none")
    (tmp_path / "image").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="is not a text file"):
        read_list(tmp_path / "image")


def test_tabs_and_spaces(tmp_path):
    (tmp_path / "list").write_text("a b.png\t3  \n\n  c.png 4")
    assert [(i.path, i.label, i.line) for i in read_list(tmp_path / "list")] == [
        ("a b.png", 3, 1),
        ("c.png", 4, 3),
    ]
