"""The kernels that pay most, compiled by numba: same signatures, same results.

Knows arrays, as `netdef.kernels` does. Has never heard of layers or files. Nothing here is
imported but where compiled kernels are wanted. What is compiled is kept on disk beside the
source, or where NUMBA_CACHE_DIR says, so that only a machine's first run pays for it.
"""
