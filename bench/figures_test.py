import pytest

from figures import Figure, at_least, at_most, ratio, saturated


def test_a_figure_is_the_median_with_its_spread():
    assert Figure.of([3, 1, 2]) == Figure(2, 1, 3)
    assert Figure.of([4, 1, 2, 3]).median == 2.5
    assert Figure.of([1234.5, 1000, 2000]).text(1, " µs") == "1,234.5 µs (1,000.0 to 2,000.0)"
    with pytest.raises(ValueError):
        Figure.of([])


def test_ratios_are_taken_pair_by_pair():
    # Both sides were disturbed in the second round: the ratio does not show it, that of the medians would.
    assert ratio([100, 50, 104], [100, 50, 100]) == Figure(1.0, 1.0, 1.04)
    with pytest.raises(ValueError):
        ratio([1, 2], [1])


@pytest.mark.parametrize("target, verdict", [
    (at_most("cpu", 0.97, Figure(0.97, 0.9, 2)), "PASS"),
    (at_most("cpu", 0.97, Figure(0.9701, 0.9, 2)), "FAIL"),
    (at_least("rps", 1.05, Figure(1.05, 0.1, 2)), "PASS"),
    (at_least("rps", 1.05, Figure(1.0499, 0.1, 2)), "FAIL"),
    (at_least("marks", 0.98, reason="no such option"), "NOT MEASURED"),
])
def test_verdicts(target, verdict):
    assert target.verdict == verdict
    assert target.line().startswith(f"**{verdict}** ")


def test_a_line_says_what_was_wanted_and_what_was_measured():
    line = at_most("seconds to ready", 20, Figure(3.5, 3, 4), digits=1, unit=" s").line()
    assert line == "**PASS** seconds to ready: ≤ 20 s, measured 3.5 s (3.0 to 4.0)"
    assert at_least("x", 2, reason="why").line() == "**NOT MEASURED** x: ≥ 2 (why)"


@pytest.mark.parametrize("server, load, which", [
    (0.99, 0.5, "server"), (0.5, 0.99, "load"), (0.95, 0.96, "both"), (0.9, 0.9, "neither")])
def test_saturated(server, load, which):
    assert saturated(server, load) == which
