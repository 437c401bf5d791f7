"""Headers are guarded, fuzz targets have seeds, and a file lies where its name says."""

import re

from source import Tree, is_cpp


def check(tree: Tree) -> list[str]:
    return _headers(tree) + _corpora(tree) + _names(tree)


def _headers(tree: Tree) -> list[str]:
    return [f"{path}:1: a header has #pragma once" for path, text in sorted(tree.items())
            if path.startswith("src/") and path.endswith(".h")
            and not re.search(r"^#pragma once$", text, re.MULTILINE)]


def fuzz_targets(paths) -> dict[str, str]:
    """{target: its source}: src/key/raw_key_fuzz.cc is the target key_raw_key_fuzz."""
    targets = {}
    for path in paths:
        if path.startswith("src/") and path.endswith("_fuzz.cc"):
            parts = path.split("/")
            targets[f"{parts[1]}_{parts[-1].removesuffix('.cc')}"] = path
    return targets


def _corpora(tree: Tree) -> list[str]:
    targets = fuzz_targets(tree)
    folders = {path.split("/")[2] for path in tree
               if path.startswith("tests/corpus/") and path.count("/") >= 3}
    findings = [f"{path}:1: the fuzz target {target} has no seed in tests/corpus/{target}/"
                for target, path in sorted(targets.items()) if target not in folders]
    findings += [f"tests/corpus/{folder}:1: no fuzz target has this name"
                 for folder in sorted(folders - targets.keys())]
    return findings


def _names(tree: Tree) -> list[str]:
    findings = []
    for path in sorted(tree):
        name = path.split("/")[-1]
        if path.startswith("src/") and is_cpp(path) and not re.fullmatch(r"[a-z0-9_]+\.(h|cc)", name):
            findings.append(f"{path}:1: a source file is named in lower_case")
        if re.search(r"(^|_)(utils?|helpers?|common|manager|misc)(_|\.|$)", name) and is_cpp(path):
            findings.append(f"{path}:1: a name that says nothing about what is inside")
    return findings
