"""Adds up the results of a test run: `count_results.py FOLDER`.

FOLDER holds <phase>.pytest.xml, <phase>.ctest.xml and, for the GoogleTest programs that ctest ran,
<phase>-cases/<program>.xml. Names what failed or was skipped, and closes with one plain line,
`N passed, N failed, N skipped`. Exits 1 if a test failed or was skipped, or if there was none.
"""

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 100  # of the failed, and of the skipped


@dataclass
class Totals:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: str) -> None:
        if outcome == "passed":
            self.passed += 1
        else:
            getattr(self, outcome).append(name)

    def line(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    not_run = case.get("status") in ("notrun", "disabled") or case.get("result") == "skipped"
    return "skipped" if not_run or case.find("skipped") is not None else "passed"


def _cases(path: Path) -> list[tuple[str, str]]:
    return [(f"{case.get('classname')}.{case.get('name')}", _outcome(case))
            for case in ElementTree.parse(path).getroot().iter("testcase")]


def _count_ctest(path: Path, totals: Totals) -> None:
    """Each GoogleTest program counts with its cases; a program without any counts as one test."""
    phase = path.name.removesuffix(".ctest.xml")
    for entry in ElementTree.parse(path).getroot().iter("testcase"):
        name, outcome = entry.get("name"), _outcome(entry)
        programs = [path.parent / f"{phase}-cases" / f"{stem}.xml"
                    for stem in (f"p402_{name}_test", name, f"{name}_test", f"p402_{name}")]
        cases = next((_cases(program) for program in programs if program.exists()), [])
        for case_name, case_outcome in cases:
            totals.add(f"{phase}: {case_name}", case_outcome)
        # A program that crashed, or was built without tests, has no failed case to show for it.
        if not cases or (outcome == "failed" and all(o != "failed" for _, o in cases)):
            totals.add(f"{phase}: {name}", outcome)


def count(folder: Path) -> Totals:
    totals = Totals()
    for path in sorted(folder.glob("*.pytest.xml")):
        for name, outcome in _cases(path):
            totals.add(f"{path.name.removesuffix('.pytest.xml')}: {name}", outcome)
    for path in sorted(folder.glob("*.ctest.xml")):
        _count_ctest(path, totals)
    return totals


def main() -> int:
    totals = count(Path(sys.argv[1]))
    for word, names in (("failed", totals.failed), ("skipped", totals.skipped)):
        for name in names[:SHOWN]:
            print(f"{word}: {name}")
        if len(names) > SHOWN:
            print(f"{word}: … and {len(names) - SHOWN} more")
    print(totals.line())
    return 0 if totals.passed and not totals.failed and not totals.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
