"""How this package says that a file of data is at fault."""

from __future__ import annotations

from netdef.diag import Problem


class DataProblem(Problem):
    """A file that batches come from is missing, broken, or holds what does not fit.

    Example: the record `00000017` of an LMDB holds an image of 3×30×32, where the first record,
    which decides, holds 3×32×32.

    The message names the file, and the record, row or line in it. Make the file again from its
    images, or leave the record out; images of several sizes need a `crop_size`.
    """

    code = "N301"


class DataError(Exception):
    """A file of data is at fault. Raised when a source is opened and when a batch is read.

    Args:
        message: one sentence in lower case that names the file, and the record in it.
        help: what to do about it.
    """

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def problem(self) -> DataProblem:
        """The mistake as a problem, for a report."""
        return DataProblem(self.message, help=self.help)


def missing_package(package: str, what: str) -> DataError:
    """The error for an optional package that is not installed; `what` needs it."""
    return DataError(
        f"{what} needs the package `{package}`, which is not installed",
        "run `pip install 'netdef-prototxt[data]'`",
    )
