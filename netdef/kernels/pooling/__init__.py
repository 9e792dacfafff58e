"""Ways to pool arrays of (c, h, w, n): the largest value, the mean, a random one.

Knows windows and arrays. Has never heard of layers or rounding modes.
"""

from netdef.kernels.pooling.average import AveragePool
from netdef.kernels.pooling.maximum import MaximumPool
from netdef.kernels.pooling.stochastic import DrawnPool, WeightedPool
from netdef.kernels.pooling.window import Need, Pool, Window

__all__ = ["AveragePool", "DrawnPool", "MaximumPool", "Need", "Pool", "WeightedPool", "Window"]
