import types

import pytest

from figures import Figure, at_least
from record import Page, table


def page():
    options = types.SimpleNamespace(command=["verify", "--rounds", "3"], server_core=0, load_core=1, rounds=3, seconds=5.0)
    return Page("verify", "Verification", options, ["p402 0.1.0", "nginx 1.22"])


def test_a_table():
    assert table(["a", "b"], [["1", "x|y"]]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
    with pytest.raises(ValueError):
        table(["a", "b"], [["1"]])


def test_a_page_has_what_makes_a_figure_one(tmp_path):
    made = page()
    made.add(table(["a"], [["1"]]))
    made.judge(at_least("rps", 1, Figure(2, 1, 3)))
    text = made.text()
    for part in ("# Verification\n", "`script/bench verify --rounds 3`", "Date: ", "commit ", "Machine: ", "p402 0.1.0; nginx 1.22",
                 "3 interleaved rounds of 5 s", "| 1 |", "## Targets", "- **PASS** rps: ≥ 1, measured 2.00 (1.00 to 3.00)"):
        assert part in text
    path = made.write(tmp_path)
    assert path.name.endswith("-verify.md") and path.read_text() == text


def test_a_page_fails_only_if_something_was_measured_and_missed():
    made = page()
    made.judge(at_least("a", 1, reason="not there"))
    made.judge(at_least("b", 1, Figure(1, 1, 1)))
    assert not made.has_failed
    made.judge(at_least("c", 1, Figure(0.9, 0.9, 0.9)))
    assert made.has_failed

