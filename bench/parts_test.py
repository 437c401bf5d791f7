"""What the parts make of the output of others, and the command line."""

import json
import re
import types

import pytest

import inprocess
import latency
import run
import servers
import setup
import start
import writes
from processes import Failed


def test_sides_take_turns_after_a_warm_up():
    order = []
    sides = {name: (lambda name=name: order.append(name) or {"n": len(order)}) for name in "AB"}
    results = setup.interleaved(types.SimpleNamespace(rounds=3), "x", sides)
    assert "".join(order) == "AB" + "AB" + "BA" + "AB"
    assert setup.column(results["A"], "n") == [3, 6, 7]


def google_benchmark(*runs):
    return json.dumps({"benchmarks": [dict(run) for run in runs]})


def test_runs_of_the_index():
    text = google_benchmark(
        {"name": "BM_Verify/1000000/real_time/threads:1", "run_type": "iteration", "items_per_second": 1e7, "time_unit": "ns", "real_time": 1},
        {"name": "BM_VerifyOnTwoThreads/1000000/real_time/threads:2", "run_type": "iteration", "items_per_second": 2e7, "time_unit": "ns", "real_time": 1},
        {"name": "BM_Verify/1000000/real_time/threads:1_mean", "run_type": "aggregate", "time_unit": "ns", "real_time": 9},
        {"name": "BM_Put/1000", "run_type": "iteration", "time_unit": "us", "real_time": 2})
    runs = inprocess.read_runs(text)
    assert inprocess.verify_runs(runs) == {(1_000_000, 1): [100.0], (1_000_000, 2): [50.0]}
    assert runs["BM_Put/1000"] == [2000.0]


def test_growth_of_the_index():
    text = google_benchmark(
        {"name": "BM_Grow/1000/repeats:2", "run_type": "iteration", "most_bytes": 300.0, "last_bytes": 200.0},
        {"name": "BM_Grow/1000/repeats:2_mean", "run_type": "aggregate", "most_bytes": 1.0, "last_bytes": 1.0},
        {"name": "BM_Verify/1000", "run_type": "iteration", "deciding_bytes": 90.0})
    assert inprocess.read_growth(text) == {1000: (300.0, 200.0)}


def test_stores_that_are_too_large_are_left_out():
    wanted = re.compile(inprocess.name_filter(10_000))
    for name in ("BM_Parse", "BM_DigestOf/real_time/threads:2", "BM_Verify/1000", "BM_VerifyOnTwoThreads/10000/real_time/threads:2"):
        assert wanted.search(name), name
    for name in ("BM_Verify/100000", "BM_VerifyOnTwoThreads/100000/real_time/threads:2"):
        assert not wanted.search(name), name


def test_a_failed_run_of_google_benchmark_is_a_failure():
    text = google_benchmark({"name": "x", "error_occurred": True, "error_message": "why", "time_unit": "ns"})
    for reader in (inprocess.read_runs, writes.read_benchmarks):
        with pytest.raises(Failed, match="why"):
            reader(text)


def test_runs_of_the_store():
    text = google_benchmark({"name": "OneByOne/real_time", "items_per_second": 5.0, "p50_us": 7.0},
                            {"name": "UnderWay/64/real_time", "items_per_second": 9.0})
    assert writes.read_benchmarks(text) == {"OneByOne": {"rps": 5.0, "p50_us": 7.0}, "UnderWay/64": {"rps": 9.0, "p50_us": None}}


def test_the_rate_is_half_of_the_slower():
    assert latency.half_of_saturation({"a": [{"rps": 10}, {"rps": 30}, {"rps": 20}], "b": [{"rps": 15}]}) == 7


def test_nginx_answers_with_the_same_body():
    assert servers.fixed_answers({"/a": b'{"x":1}'}) == "location = /a { return 200 '{\"x\":1}'; }"
    for body in (b"it's", b"$x", b"\\"):
        with pytest.raises(Failed):
            servers.fixed_answers({"/a": body})


def test_sizes_of_stores():
    assert start.sizes(types.SimpleNamespace(max_keys=10_000_000)) == [100_000, 1_000_000, 10_000_000]


def test_quick_is_small_unless_told_otherwise():
    options = run.parse(["verify", "--quick", "--rounds", "5"])
    assert (options.rounds, options.seconds, options.keys) == (5, 1.0, 2000)
    assert run.parse(["all"]).keys == 1_000_000


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["verify", "--rounds", "0"], ["verify", "--seconds", "-1"]])
def test_what_makes_no_sense_is_refused(arguments):
    with pytest.raises(SystemExit) as ended:
        run.parse(arguments)
    assert ended.value.code == 2


def outcome_of(monkeypatch, part):
    monkeypatch.setattr(run.importlib, "import_module", lambda name: types.SimpleNamespace(run=part))
    return run.main(["verify", "--no-record"])


def test_the_exit_code_says_whether_the_targets_are_reached(monkeypatch):
    def page(has_failed):
        return lambda setup: types.SimpleNamespace(text=lambda: "", has_failed=has_failed)

    def fail(setup):
        raise Failed("why")
    assert outcome_of(monkeypatch, page(False)) == 0
    assert outcome_of(monkeypatch, page(True)) == 1
    assert outcome_of(monkeypatch, fail) == 2
