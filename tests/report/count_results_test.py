import subprocess
import sys
from pathlib import Path

import count_results

PYTEST = """<testsuites><testsuite><testcase classname="keys" name="a"/>
<testcase classname="keys" name="b"><failure>x</failure></testcase>
<testcase classname="keys" name="c"><error>x</error></testcase>
<testcase classname="keys" name="d"><skipped/></testcase></testsuite></testsuites>"""
GTEST = """<testsuites><testsuite name="A">
<testcase name="a" classname="A" status="run" result="completed"/>
<testcase name="b" classname="A" status="run" result="skipped"/>
<testcase name="c" classname="A" status="notrun" result="suppressed"/>{}</testsuite></testsuites>"""
FAILED = '<testcase name="d" classname="A" status="run" result="completed"><failure/></testcase>'


def _ctest(*entries):
    cases = "".join(f'<testcase name="{name}" status="{"fail" if fails else "run"}">'
                    f'{"<failure/>" if fails else ""}</testcase>' for name, fails in entries)
    return f"<testsuite>{cases}</testsuite>"


def _write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".").replace("_DASH_", "-")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_pytest_is_counted(tmp_path):
    _write(tmp_path, functional_DOT_pytest_DOT_xml=PYTEST)
    totals = count_results.count(tmp_path)
    assert totals.line() == "1 passed, 2 failed, 1 skipped"
    assert totals.failed == ["functional: keys.b", "functional: keys.c"]


def test_a_program_counts_with_its_cases(tmp_path):
    _write(tmp_path, unit_DOT_ctest_DOT_xml=_ctest(("key", True), ("corpus_x", False)),
           unit_DASH_cases__p402_key_test_DOT_xml=GTEST.format(FAILED))
    assert count_results.count(tmp_path).line() == "2 passed, 1 failed, 2 skipped"


def test_a_program_that_crashed_is_a_failure(tmp_path):
    _write(tmp_path, unit_DOT_ctest_DOT_xml=_ctest(("key", True), ("net", True)),
           unit_DASH_cases__p402_key_test_DOT_xml=GTEST.format(""))
    assert count_results.count(tmp_path).failed == ["unit: key", "unit: net"]


def _run(folder):
    program = Path(count_results.__file__)
    return subprocess.run([sys.executable, program, folder], capture_output=True, text=True)


def test_only_a_whole_success_exits_0(tmp_path):
    assert _run(tmp_path).returncode == 1  # no test at all
    _write(tmp_path, a_DOT_pytest_DOT_xml='<testsuite><testcase classname="a" name="b"/></testsuite>')
    done = _run(tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 passed, 0 failed, 0 skipped\n")
    _write(tmp_path, b_DOT_pytest_DOT_xml=PYTEST.replace("failure", "x").replace("error", "x"))
    done = _run(tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "4 passed, 0 failed, 1 skipped")
