from netdef.view.curve import curve


def test_bars_are_as_high_as_the_values():
    lines = curve([0, 1, 2, 4, 3], height=2)
    assert lines == ["4 │   █▄", "0 │ ▄███"]


def test_ascii():
    assert curve([0, 1, 2, 4, 3], height=2, unicode=False) == ["4 |   ##", "0 | ####"]


def test_a_steep_curve_is_a_line_on_a_logarithmic_axis():
    lines = curve([10.0**-n for n in range(6)], height=3)
    assert lines == ["        1 │█▃", "          │██▇▂", "1e-05 log │████▆▁"]


def test_a_fall_in_a_line_to_almost_nothing_stays_a_line():
    lines = curve([1 - n / 100 for n in range(100)], height=4)
    assert lines[-1].startswith("0 │")


def test_what_is_no_number_is_left_empty():
    assert curve([1, float("nan"), 2], height=1) == ["2 │▄ █"]


def test_nothing_but_zeros():
    assert curve([0, 0], height=2) == ["0 │", "0 │"]
    assert curve([5.0], height=1)[0].endswith("█")
