"""NumPy arithmetic without opinions: what two layers have in common.

Knows arrays. Has never heard of layers, nets or files.
"""
