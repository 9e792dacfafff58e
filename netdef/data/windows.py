"""Window files: images and the boxes that R-CNN trains on.

The file is a list of blocks, in numbers and words with white space between them:

    # 0
    path/of/image.jpg
    3 500 353
    2
    1 0.8 10 20 110 220
    0 0.1 5 5 50 60

that is the block's number, the path, channels, height and width, how many windows, and for each
its class, its overlap with an object, and x1 y1 x2 y2 in pixels, both ends part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netdef.data.errors import DataError
from netdef.data.image_list import read_lines


@dataclass(frozen=True, slots=True)
class Window:
    """A box in an image.

    Attributes:
        image: which of the file's images.
        label: class, 0 for background.
        overlap: of the box with an object, 0 to 1.
        box: x1, y1, x2, y2; both ends are part of it.
        line: where it stands in the file, from 1.
    """

    image: int
    label: int
    overlap: float
    box: tuple[int, int, int, int]
    line: int


@dataclass(frozen=True, slots=True)
class WindowFile:
    """What a window file holds.

    Attributes:
        images: paths as written.
        channels: of the images, as the last of them says.
        windows: of all images.
    """

    images: tuple[str, ...]
    channels: int
    windows: tuple[Window, ...]


def read_windows(source: Path) -> WindowFile:
    """Read a window file.

    Raises:
        DataError: it is missing, empty, or a line is not what it should be.
    """
    words = _words(source)
    images: list[str] = []
    windows: list[Window] = []
    channels = 0
    for mark, line in words:
        if mark != "#":
            raise _wrong(source, line, mark, "`#`, which begins an image")
        _integer(source, words, "the image's number")
        path, _ = _next(source, words, "the image's path")
        channels = _integer(source, words, "its channels")
        for what in ("its height", "its width"):
            _integer(source, words, what)
        for _ in range(_integer(source, words, "how many windows it has")):
            windows.append(_window(source, words, len(images)))
        images.append(path)
    if not images:
        raise DataError(f"`{source}` lists no images")
    return WindowFile(tuple(images), channels, tuple(windows))


Words = Iterator[tuple[str, int]]


def _words(source: Path) -> Words:
    for number, line in enumerate(read_lines(source), 1):
        for word in line.split():
            yield word, number


def _window(source: Path, words: Words, image: int) -> Window:
    label, line = _next(source, words, "a window's class")
    try:
        found = int(label)
    except ValueError as error:
        raise _wrong(source, line, label, "a window's class") from error
    overlap, line = _next(source, words, "its overlap")
    try:
        share = float(overlap)
    except ValueError as error:
        raise _wrong(source, line, overlap, "a window's overlap") from error
    x1, y1, x2, y2 = (_integer(source, words, f"its {name}") for name in ("x1", "y1", "x2", "y2"))
    return Window(image, found, share, (x1, y1, x2, y2), line)


def _integer(source: Path, words: Words, what: str) -> int:
    word, line = _next(source, words, what)
    try:
        return int(word)
    except ValueError as error:
        raise _wrong(source, line, word, what) from error


def _next(source: Path, words: Words, what: str) -> tuple[str, int]:
    found = next(words, None)
    if found is None:
        raise DataError(f"`{source}` ends where {what} should stand")
    return found


def _wrong(source: Path, line: int, word: str, what: str) -> DataError:
    return DataError(f"line {line} of `{source}` has `{word}` where {what} should stand")
