"""No file names a path of somebody's machine, or the host of a package registry."""

import re

from source import Tree

# Written in parts, so that this file passes its own check.
_FOLDERS = ["/wo" "rk", "/ro" "ot", "/Us" "ers", "/ho" r"me/[a-z]\w*"]
_HOSTS = [
    ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"), ("pypi", "org"),
    ("files", "pythonhosted", "org"), ("crates", "io"), ("proxy", "golang", "org"),
    ("sum", "golang", "org"), ("repo1", "maven", "org"), ("repo", "maven", "apache", "org"),
    ("deb", "debian", "org"), ("security", "debian", "org"), ("snapshot", "debian", "org"),
    ("deb", "nodesource", "com"),
]
_PATH = re.compile(r"(?<![\w.:/~}$*-])(?:" + "|".join(_FOLDERS) + r")(?:/[\w.-]|\b(?![\w/.-]))")
_HOST = re.compile(r"(?<![\w-])(?:" + "|".join(r"\.".join(host) for host in _HOSTS) + r")(?![\w-])")


def check(tree: Tree) -> list[str]:
    findings = []
    for path, text in sorted(tree.items()):
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, what in ((_PATH, "a path of one machine"),
                                  (_HOST, "the host of a package registry")):
                match = pattern.search(line)
                if match:
                    findings.append(f"{path}:{number}: `{match.group(0)}` is {what}")
    return findings
