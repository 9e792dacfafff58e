"""Small nets that are hard on a plan: branches, in-place chains, views, sharing, loose ends."""

from __future__ import annotations

DATA = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 7 dim: 3 dim: 6 dim: 5 } } }
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 7 } } }
"""
_CONV = """
layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"
  convolution_param {{ num_output: {n} kernel_size: 3 pad: 1
    weight_filler {{ type: "xavier" }} bias_filler {{ type: "uniform" }} }} }}
"""
_END = """
layer {{ name: "score" type: "InnerProduct" bottom: "{bottom}" top: "score"
  inner_product_param {{ num_output: 4 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }}
"""


def _conv(name: str, bottom: str, n: int = 4) -> str:
    return _CONV.format(name=name, bottom=bottom, n=n)


def _layer(kind: str, bottoms: str, top: str, more: str = "", name: str = "") -> str:
    lines = " ".join(f'bottom: "{b}"' for b in bottoms.split())
    tops = " ".join(f'top: "{t}"' for t in top.split())
    name = name or f"{kind}_{top.split()[0] if top else bottoms}"
    return f'layer {{ name: "{name}" type: "{kind}" {lines} {tops} {more} }}\n'


NETS = {
    "in_place_chain": DATA
    + _conv("conv", "data")
    + _layer("ReLU", "conv", "conv", name="r1")
    + _layer("TanH", "conv", "conv", name="r2")
    + _layer("Power", "conv", "conv", "power_param { power: 2 scale: 0.5 shift: 1 }", name="r3")
    + _layer("Sigmoid", "conv", "conv", name="r4")
    + _END.format(bottom="conv"),
    "in_place_on_input": DATA
    + _layer("TanH", "data", "data", name="t")
    + _conv("conv", "data")
    + _END.format(bottom="conv"),
    "read_before_overwritten": DATA
    + _conv("conv", "data")
    + _layer("Power", "conv", "square", "power_param { power: 2 }")
    + _layer("ReLU", "conv", "conv", name="r")
    + _layer("Eltwise", "conv square", "sum")
    + _END.format(bottom="sum"),
    "branches_and_concat": DATA
    + _conv("a", "data", 2)
    + _layer("ReLU", "a", "a", name="ra")
    + _conv("b", "a", 3)
    + _conv("c", "a", 4)
    + _layer("Concat", "b c a", "cat")
    + _layer("Pooling", "cat", "pool", "pooling_param { kernel_size: 2 stride: 2 }")
    + _END.format(bottom="pool"),
    "residual": DATA
    + _conv("a", "data")
    + _conv("b", "a")
    + _layer("ReLU", "b", "b", name="rb")
    + _conv("c", "b")
    + _layer("Eltwise", "a c", "sum")
    + _layer("ReLU", "sum", "sum", name="rs")
    + _END.format(bottom="sum"),
    "product_of_itself": DATA
    + _conv("a", "data")
    + _layer("Eltwise", "a a", "sq", "eltwise_param { operation: PROD }")
    + _END.format(bottom="sq"),
    "slices_and_loose_ends": DATA
    + _conv("a", "data", 5)
    + _layer("Slice", "a", "s1 s2 s3", "slice_param { slice_point: 1 slice_point: 3 }")
    + _layer("Silence", "s2", "")
    + _layer("Concat", "s3 s1", "cat")
    + _END.format(bottom="cat"),
    "views": DATA
    + _conv("a", "data")
    + _layer("Flatten", "a", "flat")
    + _layer("ReLU", "flat", "flat", name="rf")
    + _layer("Reshape", "flat", "back", "reshape_param { shape { dim: 0 dim: 4 dim: 6 dim: 5 } }")
    + _layer("Eltwise", "a back", "sum")
    + _END.format(bottom="sum"),
    "view_used_twice": DATA
    + _conv("a", "data")
    + _layer("Split", "a", "a1 a2")
    + _layer("ReLU", "a1", "a1", name="r1")
    + _layer("TanH", "a2", "a2", name="r2")
    + _layer("Eltwise", "a1 a2 a", "sum")
    + _END.format(bottom="sum"),
    "across_the_batch": DATA
    + _conv("a", "data")
    + _layer("Slice", "a", "h1 h2", "slice_param { axis: 0 slice_point: 3 }")
    + _layer("TanH", "h1", "h1", name="th")
    + _layer("Concat", "h2 h1", "cat", "concat_param { axis: 0 }")
    + _END.format(bottom="cat"),
    "shared_weights": DATA
    + _layer("Flatten", "data", "flat")
    + "".join(
        f'layer {{ name: "{n}" type: "InnerProduct" bottom: "flat" top: "{n}" '
        f'param {{ name: "w" lr_mult: {m} }} param {{ name: "b" lr_mult: {2 * m} }} '
        'inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }\n'
        for n, m in (("x", 1), ("y", 10), ("z", 3))
    )
    + _layer("TanH", "y", "y", name="ty")
    + _layer("Eltwise", "x y z", "score")
    + _layer("SoftmaxWithLoss", "score label", "loss"),
    "two_losses": DATA
    + _conv("a", "data")
    + _layer(
        "InnerProduct",
        "a",
        "aux",
        "inner_product_param { num_output: 4 weight_filler { type: 'xavier' } }",
    )
    + _layer("SoftmaxWithLoss", "aux label", "auxloss", "loss_weight: 0.3")
    + _layer("Power", "a", "p", "power_param { power: 2 } loss_weight: 0.01")
    + _END.format(bottom="p"),
    "normalised": DATA
    + _conv("a", "data")
    + _layer("BatchNorm", "a", "a", name="bn")
    + _layer("Scale", "a", "a", "scale_param { bias_term: true }", name="sc")
    + _layer("ReLU", "a", "a", name="r")
    + _conv("b", "a")
    + _layer("BatchNorm", "b", "bn2")
    + _layer("Scale", "bn2", "sc2", "scale_param { bias_term: true }")
    + _layer("Eltwise", "a sc2", "sum")
    + _layer("ReLU", "sum", "sum", name="r2")
    + _layer("LRN", "sum", "norm")
    + _layer("PReLU", "norm", "norm", name="pr")
    + _END.format(bottom="norm"),
    "constants_last": DATA + 'layer { name: "one" type: "DummyData" top: "one" '
    "dummy_data_param { shape { dim: 7 dim: 4 } data_filler { value: 0.5 } } }\n"
    + _layer("Power", "one", "two", "power_param { scale: 2 }")
    + _layer("TanH", "two", "two", name="tt")
    + _layer("InnerProduct", "data", "ip", "inner_product_param { num_output: 4 }")
    + _layer("Eltwise", "ip two", "score")
    + _layer("SoftmaxWithLoss", "score label", "loss"),
    "thrice_itself": DATA
    + _conv("a", "data")
    + _layer("Eltwise", "a a a", "sum")
    + _END.format(bottom="sum"),
    "dropout": DATA
    + _conv("a", "data")
    + _layer("Dropout", "a", "a", name="d")
    + _END.format(bottom="a"),
}
