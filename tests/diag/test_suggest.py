"""Which misspelt names can only mean one other."""

from __future__ import annotations

import pytest

from netdef.diag import Source, Span, respelt, surely

FIELDS = ("kernel_size", "kernel_h", "pad", "pad_h", "stride", "group", "bias_term", "axis")
RULES = ("AMSGrad", "AdaDelta", "AdaGrad", "Adam", "AdamW", "LARS", "RMSProp", "SGD")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("kernal_size", "kernel_size"),
        ("KernelSize", "kernel_size"),
        ("kenrel_szie", "kernel_size"),
        ("strid", "stride"),
        ("strides", "stride"),
        ("pad_w", None),  # as near to none
        ("kernel", None),  # cut short
        ("axs", None),  # too short to tell
        ("dilation", None),
    ],
)
def test_fields(name, meant):
    assert surely(name, FIELDS) == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("adam", "Adam"),
        ("RMS_PROP", "RMSProp"),
        ("Adm", "Adam"),
        ("AdaGard", "AdaGrad"),
        ("AdaDetla", "AdaDelta"),
        ("NAdam", None),
        ("Adan", None),
        ("SGDW", None),
        ("SGLD", None),
        ("AMSRMSGrad", None),
        ("Ad", None),
    ],
)
def test_algorithms_are_told_by_both_ends(name, meant):
    assert surely(name, RULES, ends_kept=True) == meant


@pytest.mark.parametrize("text", ['"Adm"', "'Adm'"])
def test_a_string_is_respelt(text):
    span = Span(Source("t", f"type: {text}"), 6, 6 + len(text))
    (fix,) = respelt(span, "Adam")
    assert (fix.span, fix.replacement, fix.safe) == (span, '"Adam"', True)
    assert respelt(span, None) == respelt(span, "") == respelt(None, "Adam") == ()


@pytest.mark.parametrize("text", ["ADM", '"A" "dm"', '{ type: "Adm" }', '"', ""])
def test_what_is_no_string_stays(text):
    assert respelt(Span(Source("t", text), 0, len(text)), "Adam") == ()
