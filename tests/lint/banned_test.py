import pytest

import banned

FIX_ME = "FIX" "ME"
TO_DO = "TO" "DO"

REFUSED = [
    ("src/key/a_test.cc", "std::this_thread::sleep_for(1s);"),
    ("tests/conformance/a.cc", "usleep(1);"),
    ("src/key/a.cc", "throw std::runtime_error(x);"),
    ("src/key/a_test.cc", "throw 1;"),
    ("src/key/a.cc", "int x = rand();"),
    ("src/key/a.cc", "std::mt19937 generator;"),
    ("src/key/a.cc", "strcpy(a, b);"),
    ("src/cli/a.cc", "std::atoi(text);"),
    ("src/cli/a.cc", "system(command);"),
    ("src/net/a.cc", "std::cout << x;"),
    ("src/net/a.cc", "fprintf(stderr, x);"),
    ("src/api/a.cc", "sqlite3_open(x, &y);"),
    ("src/api/a.cc", "#include <sqlite3.h>"),
    ("src/net/a.h", "#include <boost/beast/http.hpp>"),
    ("src/net/a.h", "#include <boost/asio.hpp>"),
    ("src/api/a.cc", "#include <nlohmann/json.hpp>"),
    ("src/api/a.cc", "nlohmann::json j;"),
    ("src/key/a.cc", "auto now = std::chrono::system_clock::now();"),
    ("src/key/a.cc", "using namespace std;"),
    ("src/key/a.cc", f"// {TO_DO}: later"),
    ("src/key/a.cc", f"// {TO_DO}(me): later"),
    ("src/key/a.cc", f"// {TO_DO}(perf):"),
    ("script/build", f"# {FIX_ME} now"),
]
ACCEPTED = [
    ("src/net/a.cc", "timer.sleep_for_ms_();"),
    ("src/base/executor.cc", "std::this_thread::sleep_for(1s);"),
    ("src/key/a.cc", "// never throw here; system(x), rand()"),
    ("src/key/a.cc", 'Log("throw rand() strcpy(");'),
    ("src/key/a.cc", "operand(1); Random& random; x.rand();"),
    ("src/key/a.cc", "std::snprintf(a, sizeof a, b);"),
    ("src/cli/a.cc", "fmt::print(x);"),
    ("src/main.cc", "std::fputs(x, stderr);"),
    ("src/base/check.cc", "std::fprintf(stderr, x);"),
    ("src/key/a_bench.cc", "std::printf(x);"),
    ("src/store/sqlite/a.cc", "sqlite3_open(x, &y);"),
    ("src/base/clock.cc", "std::chrono::system_clock::now();"),
    ("src/key/a_test.cc", "std::chrono::steady_clock::now();"),
    ("src/key/a.cc", f"// {TO_DO}(perf): batch these"),
    ("docs/a.md", f"{TO_DO}: anything"),
]


@pytest.mark.parametrize("path, line", REFUSED)
def test_is_refused(path, line):
    findings = banned.check({path: "\n" + line + "\n"})
    assert findings and findings[0].startswith(f"{path}:2: ")


@pytest.mark.parametrize("path, line", ACCEPTED)
def test_is_accepted(path, line):
    assert banned.check({path: line + "\n"}) == []


def test_every_rule_is_tried():
    for rule in banned.CODE_RULES + banned.TEXT_RULES:
        findings = [f for path, line in REFUSED for f in banned.check({path: line + "\n"})]
        assert any(finding.endswith(rule.reason) for finding in findings), rule.reason
