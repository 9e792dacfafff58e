"""Window files, and the windows cut out of images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from netdef.data.errors import DataError
from netdef.data.reader import Context
from netdef.data.window_batches import Cut, Spot, WindowBatches, place
from netdef.data.windows import Window, read_windows

TEXT = """# 0
a.png
3 20 30
3
1 0.8 10 5 19 14
2 0.6 0 0 29 19
1 0.1 4 4 8 8
# 1
b.png
3 10 10
1
0 0.0 0 0 9 9
"""


@pytest.fixture
def folder(tmp_path):
    a = np.zeros((20, 30, 3), np.uint8)
    a[..., 0] = np.arange(30)  # red: the column
    a[..., 1] = np.arange(20)[:, None]  # green: the row
    a[..., 2] = 7
    Image.fromarray(a).save(tmp_path / "a.png")
    Image.new("RGB", (10, 10), (100, 100, 100)).save(tmp_path / "b.png")
    (tmp_path / "w.txt").write_text(TEXT)
    return tmp_path


def make(folder, batch=4, cut=None, **settings):
    context = Context(seed=settings.pop("seed", 0), folder=folder)
    return WindowBatches(folder / "w.txt", batch, cut or Cut(10), context, **settings)


def batch(batches, first=0):
    out = [np.full(shape, np.nan, np.float32) for shape in batches.shapes]
    batches.fill(first, out)
    return out


class TestFile:
    def test_read(self, folder):
        file = read_windows(folder / "w.txt")
        assert file.images == ("a.png", "b.png")
        assert file.channels == 3
        assert file.windows[0] == Window(0, 1, 0.8, (10, 5, 19, 14), 5)
        assert [w.image for w in file.windows] == [0, 0, 0, 1]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "lists no images"),
            ("a.png", "line 1 of .* has `a.png` where `#`, which begins an image should stand"),
            ("# 0\na.png\n3 x 30", "line 3 of .* has `x` where its height should stand"),
            ("# 0\na.png\n3 20 30\n1\n1 0.8 10 5", "ends where its x2 should stand"),
            ("# 0\na.png\n3 20 30\n1\ncat", "line 5 of .* has `cat` where a window's class"),
            ("# 0\na.png\n3 20 30\n1\n1 much", "has `much` where a window's overlap"),
        ],
    )
    def test_refuses(self, tmp_path, text, expected):
        (tmp_path / "w").write_text(text)
        with pytest.raises(DataError, match=expected):
            read_windows(tmp_path / "w")


class TestPlace:
    """Worked out by hand."""

    def test_warp_without_context(self):
        assert place((2, 3, 8, 4), (50, 60), Cut(10), mirror=False) == Spot(
            (2, 3, 8, 4), 0, 0, 10, 10
        )

    def test_context_inside_the_image(self):
        # 10 wide, centre 25; twice as wide with 5 of 20 on each side
        spot = place((20, 20, 29, 29), (60, 60), Cut(20, context_pad=5), mirror=False)
        assert spot == Spot((15, 15, 35, 35), 0, 0, 20, 20)

    def test_context_beyond_the_image(self):
        cut = Cut(20, context_pad=5)
        # -5 to 15: 21 pixels, 5 of them outside: round(5 * 20 / 21) = 5, round(16 * 20 / 21) = 15
        spot = place((0, 20, 9, 29), (60, 60), cut, mirror=False)
        assert spot == Spot((0, 15, 15, 35), 0, 5, 20, 15)
        flipped = place((0, 20, 9, 29), (60, 60), cut, mirror=True)
        assert flipped == Spot((0, 15, 15, 35), 0, 0, 20, 15)
        below = place((20, 50, 29, 59), (60, 60), cut, mirror=False)
        assert below == Spot((15, 45, 35, 59), 0, 0, 14, 20)

    def test_square(self):
        # 10 wide, 20 high: 20 of both
        spot = place((30, 20, 39, 39), (90, 90), Cut(20, square=True), mirror=False)
        assert spot == Spot((25, 20, 45, 40), 0, 0, 20, 20)


class TestBatches:
    def test_background_first_then_objects(self, folder):
        batches = make(folder, 8, Cut(10, fg_fraction=0.45))
        assert batches.shapes == ((8, 3, 10, 10), (8,))
        assert [w.label for w in batches.objects] == [1, 2]
        for first in (0, 8, 16):
            label = batch(batches, first)[1]
            assert label[:5].tolist() == [0] * 5
            assert set(label[5:]) <= {1, 2}

    def test_pixels(self, folder):
        batches = make(folder, 1, Cut(10, fg_threshold=0.7, fg_fraction=1))
        data, label = batch(batches)
        assert label.tolist() == [1]
        blue, green, red = data[0]
        assert (blue == 7).all()
        assert green[:, 0].tolist() == list(range(5, 15))
        assert red[0].tolist() == list(range(10, 20))

    def test_mirror_mean_and_scale(self, folder):
        cut = Cut(10, fg_threshold=0.7, fg_fraction=1, mirror=True, scale=0.5)
        batches = make(folder, 20, cut, mean=np.array([1, 2, 3], np.float32).reshape(3, 1, 1))
        red = batch(batches)[0][:, 2, 0]
        rising = [(row == 0.5 * (np.arange(10, 20) - 3)).all() for row in red]
        falling = [(row == 0.5 * (np.arange(19, 9, -1) - 3)).all() for row in red]
        assert any(rising)
        assert any(falling)
        assert all(a != b for a, b in zip(rising, falling, strict=True))

    def test_a_mean_image_lies_where_the_window_goes(self, folder):
        (folder / "w.txt").write_text("# 0\na.png\n3 20 30\n1\n1 1 0 5 9 14\n")
        mean = np.arange(3 * 20 * 20, dtype=np.float32).reshape(3, 20, 20)
        cut = Cut(20, fg_fraction=1, context_pad=5)
        plain = batch(make(folder, 1, cut))[0][0]
        data = batch(make(folder, 1, cut, mean=mean))[0][0]
        assert (data[:, :, :5] == 0).all()  # outside of the image nothing is taken off
        assert (data[:, 19:] == 0).all()
        np.testing.assert_array_equal(data[:, :19, 5:], (plain - mean)[:, :19, 5:])

    def test_a_batch_is_a_function_of_where_it_starts(self, folder):
        first = batch(make(folder, 4, Cut(10, mirror=True)), 8)
        batches = make(folder, 4, Cut(10, mirror=True), cache=True)
        for _ in range(2):
            for one, other in zip(batch(batches, 8), first, strict=True):
                np.testing.assert_array_equal(one, other)
        batches.close()

    @pytest.mark.parametrize(
        ("text", "cut", "expected"),
        [
            (TEXT, Cut(10, fg_threshold=0.9), "has an overlap of 0.9 or more"),
            (TEXT, Cut(10, bg_threshold=0), "has an overlap below 0$"),
            (TEXT.replace("1 0.8", "0 0.8"), Cut(10), "line 5 of .* has an object of class 0"),
        ],
    )
    def test_windows_that_are_not_there(self, folder, text, cut, expected):
        (folder / "w.txt").write_text(text)
        with pytest.raises(DataError, match=expected):
            make(folder, 4, cut)

    @pytest.mark.parametrize(
        ("box", "expected"),
        [("10 5 30 14", "does not lie in"), ("10 5 9 14", "does not lie in")],
    )
    def test_windows_outside_of_their_image(self, folder, box, expected):
        (folder / "w.txt").write_text(f"# 0\na.png\n3 20 30\n1\n1 1 {box}\n")
        with pytest.raises(DataError, match=expected):
            batch(make(folder, 1, Cut(10, fg_fraction=1)))

    def test_a_missing_image(self, folder):
        (folder / "b.png").unlink()
        with pytest.raises(DataError, match=r"b.png` does not exist"):
            batch(make(folder, 1, Cut(10, bg_threshold=0.05, fg_fraction=0)))
