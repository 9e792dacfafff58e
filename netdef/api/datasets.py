"""Data sets: made of images and of the files of MNIST, CIFAR and tables; looked at, checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdef.data.errors import DataError
from netdef.diag import NetdefError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netdef.data.building import Built
    from netdef.data.image_list import ListedImage
    from netdef.data.recipes import ImageRecipe
    from netdef.data.sinks import Item
    from netdef.data.survey import Survey

StrPath = str | os.PathLike[str]
Progress = Callable[[int, "int | None"], None]
Job = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made.

    Attributes:
        sets: the set, and the one for validation where it was asked for.
        classes: names of the labels; () where there are none.
        labels: the file that holds these names, one a line; None for none.
    """

    sets: tuple[Built, ...]
    classes: tuple[str, ...] = ()
    labels: Path | None = None


def dataset_images(
    source: StrPath,
    out: StrPath,
    *,
    recipe: ImageRecipe | None = None,
    backend: str | None = None,
    val: StrPath | None = None,
    val_part: float = 0.1,
    shuffle: bool = False,
    seed: int = 1,
    replace: bool = False,
    skip_bad: int = 0,
    progress: Progress | None = None,
) -> Made:
    """Make a set of a folder or a list of images.

    Args:
        source: a folder with a folder for each class, or a text file with a path and a label on
            each line.
        out: folder of the database, or HDF5 file.
        recipe: how images become records.
        backend: lmdb, leveldb or hdf5; None for what the name says, else lmdb.
        val: a second set, for validation, of images that the first does not get.
        val_part: share of the images of each class that goes there.
        shuffle: in random order.
        seed: of the order and the share.
        replace: sets may be there already.
        skip_bad: how many broken images are left out.
        progress: told how many of how many are done.

    Raises:
        NetdefError: images are missing or broken, or the set cannot be written.
    """
    from netdef.data.building import backend_of, shuffled_order
    from netdef.data.recipes import ImageRecipe, images_in

    source, out = Path(source), Path(out)
    recipe = recipe or ImageRecipe()
    with _data_errors():
        backend = backend_of(out, backend)
        images, classes = images_in(source)
        if classes or source.is_dir():
            recipe = _with(recipe, root=f"{source}/")
        if backend == "hdf5":
            recipe = _with(recipe, encode="raw")
        order = shuffled_order(len(images), seed) if shuffle else list(range(len(images)))
        taken = [images[i] for i in order]
        held = _held_back(taken, val_part, seed) if val is not None else set()
        parts = [(out, [i for n, i in enumerate(taken) if n not in held])]
        if val is not None:
            parts.append((Path(val), [i for n, i in enumerate(taken) if n in held]))
        sets = tuple(
            _build_images(path, backend, part, recipe, replace, skip_bad, progress)
            for path, part in parts
        )
        labels = None
        if classes:
            labels = out.with_name(out.name + ".labels.txt")
            labels.write_text("".join(f"{name}\n" for name in classes), "utf-8")
    return Made(sets, tuple(classes), labels)


def dataset_arrays(
    images: NDArray[Any],
    labels: NDArray[Any] | None,
    out: StrPath,
    *,
    backend: str | None = None,
    shuffle: bool = False,
    seed: int = 1,
    replace: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Make a set of arrays.

    Args:
        images: (N, C, H, W); bytes are kept as bytes, all else as 32-bit floats.
        labels: (N,), or None. Databases hold whole numbers.
        out: as in `dataset_images`.
        backend: the same.
        shuffle: the same.
        seed: the same.
        replace: the same.
        progress: the same.

    Raises:
        NetdefError: the set cannot be written, or a database cannot hold the labels.
    """
    from netdef.data.building import backend_of, build, shuffled_order
    from netdef.data.sinks import Item

    out = Path(out)
    with _data_errors():
        backend = backend_of(out, backend)
        if labels is not None and backend != "hdf5":
            bad = [n for n, label in enumerate(labels.tolist()) if label != int(label)]
            if bad:
                raise DataError(
                    f"row {bad[0]} has the label {labels[bad[0]]:g}, a database holds whole "
                    "numbers",
                    "write an HDF5 file: its name ends in .h5",
                )
        order = shuffled_order(len(images), seed) if shuffle else range(len(images))
        digest = hashlib.sha256(images.tobytes())
        digest.update(b"" if labels is None else labels.tobytes())

        def make(job: tuple[int, int]) -> Item:
            place, row = job
            label = None if labels is None else float(labels[row])
            return Item(b"%08d" % place, images[row], label)

        built = build(
            out,
            backend,
            list(enumerate(order)),
            make,
            recipe={"arrays": digest.hexdigest(), "shuffle": seed if shuffle else None},
            name=lambda job: f"row {job[1]}",
            replace=replace,
            progress=progress,
        )
    return Made((built,))


def dataset_mnist(images: StrPath, labels: StrPath, out: StrPath, **options: Any) -> Made:
    """Make a set of two idx files, as MNIST's; options as of `dataset_arrays`."""
    from netdef.data.recipes import read_mnist

    with _data_errors():
        arrays = read_mnist(Path(images), Path(labels))
    return dataset_arrays(*arrays, out, **options)


def dataset_cifar(
    files: Sequence[StrPath], out: StrPath, *, coarse: bool = False, **options: Any
) -> Made:
    """Make a set of the binary files of CIFAR-10 or CIFAR-100; options as of `dataset_arrays`.

    Channels stay red, green, blue, as in the files and in Caffe's own example.
    """
    from netdef.data.recipes import read_cifar

    with _data_errors():
        arrays = read_cifar([Path(file) for file in files], coarse=coarse)
    return dataset_arrays(*arrays, out, **options)


def dataset_csv(
    file: StrPath,
    out: StrPath,
    *,
    label: str | int | None = -1,
    shape: tuple[int, int, int] | None = None,
    **options: Any,
) -> Made:
    """Make a set of a .csv file: one column the label, the others the values.

    Args:
        file: its first line may name the columns.
        out: as in `dataset_images`.
        label: name or number of the label's column, which may hold words; None for no labels.
        shape: (C, H, W) of a record; None for (columns, 1, 1).
        options: as of `dataset_arrays`.

    Raises:
        NetdefError: the file is broken, or the set cannot be written.
    """
    import numpy as np

    from netdef.data.tables import label_column, read_csv

    path = Path(file)
    with _data_errors():
        table = read_csv(path, text_column=label)
        place = None if label is None else label_column(table, label)
        values = table.values if place is None else np.delete(table.values, place, axis=1)
        if shape is not None and shape[0] * shape[1] * shape[2] != values.shape[1]:
            raise DataError(
                f"`{path}` has {values.shape[1]} columns of values, "
                f"{'×'.join(map(str, shape))} are {shape[0] * shape[1] * shape[2]}"
            )
        rows = values.reshape(len(values), *(shape or (values.shape[1], 1, 1)))
    made = dataset_arrays(rows, None if place is None else table.values[:, place], out, **options)
    if not table.classes:
        return made
    names = Path(out).with_name(Path(out).name + ".labels.txt")
    names.write_text("".join(f"{name}\n" for name in table.classes), "utf-8")
    return Made(made.sets, table.classes, names)


def dataset_mean(
    source: StrPath, out: StrPath, *, root: str = "", progress: Progress | None = None
) -> NDArray[np.float32]:
    """Write the mean image of a set: .npy by its ending, else the .binaryproto of Caffe.

    Returns:
        (C, H, W).

    Raises:
        NetdefError: a record is broken or of another size, or the file cannot be written.
    """
    from netdef.data.records import open_records
    from netdef.data.survey import mean_image
    from netdef.io import save_mean

    with _data_errors():
        mean = mean_image(open_records(Path(source), root=root), progress)
    save_mean(out, mean)
    return mean


def dataset_info(
    source: StrPath,
    *,
    root: str = "",
    samples: int = 0,
    limit: int | None = None,
    classes: int | None = None,
    checked: bool = False,
    same_size: bool = False,
    progress: Progress | None = None,
) -> Survey:
    """Go through a set: counts, shapes, labels, means, samples and broken records.

    Args:
        source: a database, an HDF5, .npz or .csv file, a list of such files or of images, or a
            folder of images.
        root: put in front of the paths of an image list.
        samples: how many records to keep, drawn at random.
        limit: look at the first few only.
        classes: labels must be whole numbers from 0 to below this.
        checked: look at the checksums too, where the set has them.
        same_size: records must have the shape of the first.
        progress: told how many of how many are done.

    Raises:
        NetdefError: there is no such set, or it is damaged as a whole.
    """
    from netdef.data.records import open_records
    from netdef.data.survey import survey

    with _data_errors():
        records = open_records(Path(source), root=root, checked=checked)
        return survey(
            records,
            samples=samples,
            limit=limit,
            classes=classes,
            same_size=same_size,
            progress=progress,
        )


def label_names(source: StrPath, given: StrPath | None = None) -> tuple[str, ...]:
    """Names of a set's labels: of the file given, else of the one that stands beside the set."""
    path = Path(source)
    place = path.with_name(path.name + ".labels.txt") if given is None else Path(given)
    if given is None and not place.is_file():
        return ()
    from netdef.data.image_list import read_lines

    with _data_errors():
        return tuple(line.strip() for line in read_lines(place) if line.strip())


def _build_images(
    path: Path,
    backend: str,
    images: list[ListedImage],
    recipe: ImageRecipe,
    replace: bool,  # noqa: FBT001  as given
    skip_bad: int,
    progress: Progress | None,
) -> Built:
    from netdef.data.building import build

    for image in images:
        if image.label < 0:
            raise DataError(f"line {image.line}: `{image.path}` has the label {image.label}")
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.path}\0{image.label}\n".encode("utf-8", "surrogateescape"))
    return build(
        path,
        backend,
        list(enumerate(images)),
        lambda job: recipe.make(*job),
        recipe={"images": digest.hexdigest(), "how": repr(recipe)},
        name=lambda job: job[1].path,
        replace=replace,
        skip_bad=skip_bad,
        progress=progress,
    )


def _held_back(images: Sequence[ListedImage], part: float, seed: int) -> set[int]:
    """Places of the images that go to the set for validation, the same share of each class."""
    from netdef.data.building import shuffled_order

    by_label: dict[int, list[int]] = {}
    for place, image in enumerate(images):
        by_label.setdefault(image.label, []).append(place)
    held: set[int] = set()
    for label, places in by_label.items():
        order = shuffled_order(len(places), seed + label)
        held.update(places[i] for i in order[: round(part * len(places))])
    if not held or len(held) == len(images):
        raise DataError(
            f"a share of {part:g} of {len(images)} images leaves one of the sets empty",
            "write another --val-part",
        )
    return held


def _with(recipe: ImageRecipe, **changes: Any) -> ImageRecipe:
    from dataclasses import replace

    return replace(recipe, **changes)


@contextmanager
def _data_errors() -> Iterator[None]:
    """Mistakes in files of data as problems."""
    try:
        yield
    except DataError as error:
        raise NetdefError(error.problem()) from error
    except OSError as error:
        problem = DataError(f"`{error.filename}` cannot be used: {error.strerror}").problem()
        raise NetdefError(problem) from error
