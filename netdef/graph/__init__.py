"""A net with names resolved and shapes known.

Knows layers by their settings and shapes, and where each field was written. Has never heard of
arrays, memory or time.
"""

from netdef.graph.compile import PASSES, compile_net
from netdef.graph.net import Blob, Net, Node, Param, State, Use

__all__ = ["PASSES", "Blob", "Net", "Node", "Param", "State", "Use", "compile_net"]
