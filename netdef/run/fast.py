"""Whether compiled kernels are used."""

from __future__ import annotations

import os
from functools import cache


def use_fast(asked: bool | None = None) -> bool:  # noqa: FBT001  # an answer, or none
    """Compiled kernels or not: as asked, else unless NETDEF_FAST is 0, where numba is installed.

    Raises:
        ImportError: they are asked for, and there is no numba, or none that works.
    """
    if asked is None:
        return os.environ.get("NETDEF_FAST") != "0" and has_numba()
    if asked and not has_numba():
        raise ImportError(
            "compiled kernels need a numba that works with this NumPy: "
            "pip install 'netdef-prototxt[fast]'"
        )
    return asked


@cache
def has_numba() -> bool:
    """Whether numba can be imported; where it cannot, everything runs in NumPy."""
    try:
        # not `find_spec`: a numba that is there may refuse a NumPy that is newer than it
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
