"""Calls and words that have no place here, each with the reason."""

import re
from dataclasses import dataclass
from typing import Callable

from source import Tree, is_cpp, is_test, line_of, strip_cpp


@dataclass
class Rule:
    pattern: str
    reason: str
    applies: Callable[[str], bool]


def _in_src(path: str) -> bool:
    return is_cpp(path) and path.startswith("src/")


def _is_product(path: str) -> bool:
    return _in_src(path) and not is_test(path)


def _may_print(path: str) -> bool:
    return path.startswith(("src/cli/", "src/app/")) or path in ("src/main.cc", "src/base/check.cc")


# Matched against C++ without comments and literals.
CODE_RULES = [
    Rule(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])sleep\s*\(",
         "a test never sleeps: wait for the event, or move a FakeClock",
         lambda path: is_cpp(path) and is_test(path) and not path.startswith("bench/")),
    Rule(r"\bthrow\b", "no throw in src/: return an Error", _in_src),
    Rule(r"(?<![\w.>])(?:std::)?s?rand\s*\(|\brandom_device\b|\bmt19937\b",
         "randomness comes from base/random.h", _is_product),
    Rule(r"(?<![\w.>])(?:std::)?(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|tmpnam|"
         r"mktemp|system|popen|alloca)\s*\(",
         "an unsafe call: it has no bound, no error, or a shell", is_cpp),
    Rule(r"\bstd::(cout|cerr|clog|puts|print|println)\b|\bfmt::print\b"
         r"|(?<![\w.>])(?:std::)?(printf|fprintf|puts|putchar|fputs|vprintf)\s*\(",
         "only cli and app print; everything else logs",
         lambda path: _is_product(path) and not _may_print(path)),
    Rule(r"\bsqlite3(_\w+)?\b", "only store knows SQLite",
         lambda path: _in_src(path) and not path.startswith("src/store/")),
    Rule(r"\b(system_clock|steady_clock)::now\b|\bclock_gettime\s*\(|(?<![\w.>])time\s*\(\s*(0|NULL|nullptr)\s*\)",
         "time comes from a Clock", lambda path: _is_product(path) and path != "src/base/clock.cc"),
    Rule(r"\busing\s+namespace\s+std\b", "name what you use", is_cpp),
    Rule(r"\bnlohmann\b", "JSON is Boost.JSON, or written by hand", is_cpp),
]

# Matched against the text as it is.
TEXT_RULES = [
    Rule(r'#[ \t]*include[ \t]*[<"]boost/(beast|asio)\b', "I/O is net/loop.h (docs/decisions/0002-epoll.md)", is_cpp),
    Rule(r'#[ \t]*include[ \t]*[<"]nlohmann/', "JSON is Boost.JSON, or written by hand", is_cpp),
    Rule(r'#[ \t]*include[ \t]*[<"]sqlite3\.h', "only store knows SQLite",
         lambda path: _in_src(path) and not path.startswith("src/store/")),
    Rule(r"\b(?:TO" r"DO\b(?!\((?:perf|security|someday)\): \S)|FIX" r"ME\b)",
         "only with a reason in brackets (perf, security, someday), a colon and a text",
         lambda path: is_cpp(path) or path.endswith((".py", ".sh", ".cmake", "CMakeLists.txt"))
         or path.startswith(("script/", ".ci/"))),
]


def check(tree: Tree) -> list[str]:
    findings = []
    for path, text in sorted(tree.items()):
        code = strip_cpp(text) if is_cpp(path) else ""
        for rules, subject in ((CODE_RULES, code), (TEXT_RULES, text)):
            for rule in rules:
                if rule.applies(path):
                    findings += _matches(path, rule, subject)
    return findings


def _matches(path: str, rule: Rule, text: str) -> list[str]:
    return [f"{path}:{line_of(text, match.start())}: `{match.group(0).strip()}`: {rule.reason}"
            for match in re.finditer(rule.pattern, text)]
