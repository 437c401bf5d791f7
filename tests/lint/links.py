"""Relative links and anchors in Markdown lead somewhere."""

import posixpath
import re
from urllib.parse import unquote

from source import Tree

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_INLINE = re.compile(r"\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def check(tree: Tree) -> list[str]:
    folders = {posixpath.dirname(path) for path in tree}
    for folder in list(folders):
        while folder:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    findings = []
    for path, text in sorted(tree.items()):
        if path.endswith(".md"):
            findings += _check_page(path, text, tree, folders)
    return findings


def _check_page(path: str, text: str, tree: Tree, folders: set[str]) -> list[str]:
    plain = _blank(_CODE, _blank(_FENCE, text))
    findings = []
    for pattern in (_INLINE, _REFERENCE):
        for match in pattern.finditer(plain):
            target = match.group(1)
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", target):
                continue
            problem = _problem(path, target, tree, folders)
            if problem:
                line = plain.count("\n", 0, match.start()) + 1
                findings.append(f"{path}:{line}: ({target}): {problem}")
    return findings


def _problem(path: str, target: str, tree: Tree, folders: set[str]) -> str | None:
    name, _, anchor = target.partition("#")
    if not target:
        return "an empty link"
    page = path
    if name.startswith("/"):
        return "an absolute path leads nowhere in a clone"
    if name:
        page = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(name)))
        if page not in tree and page not in folders and page != ".":
            return "there is no such file"
    if anchor and page.endswith(".md") and unquote(anchor) not in anchors(tree[page]):
        return f"{page} has no such heading"
    return None


def anchors(text: str) -> set[str]:
    """The anchors of a page, formed as GitHub forms them."""
    found = set(_ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(_blank(_FENCE, text)):
        heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def _blank(pattern: re.Pattern, text: str) -> str:
    return pattern.sub(lambda match: "\n" * match.group(0).count("\n"), text)
