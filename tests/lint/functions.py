"""Functions, files and nesting stay small enough to be read at once."""

import re
from dataclasses import dataclass

from source import Tree, is_cpp, strip_cpp

FUNCTION_LINES = 70
FILE_LINES = 800
NESTING = 3

_TEMPLATE = re.compile(r"^\s*template\s*<")
_TYPE = re.compile(r"^\s*(?:typedef\s+|static\s+|inline\s+|const(?:expr)?\s+)*"
                   r"(class|struct|union|enum)\b(?![^{]*\)\s*(?:const|noexcept|override)?\s*$)")
_NAMESPACE = re.compile(r'^\s*(inline\s+)?namespace\b|^\s*extern\s*""\s*$')
_CONTROL = re.compile(r"^\s*(?:\}\s*)?(if|for|while|switch|do|else|try|catch)\b")
# A constructor's `: a_(1), b_` before the brace of b_{2}.
_MEMBER_INITIALISER = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)[^;]*[\w>]$")
_LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(?:\([^{}]*\))?\s*"
                     r"(?:mutable|noexcept|constexpr|->\s*[\w:<>,&*\s]+|\s)*$")


@dataclass
class Statement:
    """What stands before a brace, since the last `;`, `{` or `}`."""

    text: str = ""
    line: int = 1
    parens: int = 0


@dataclass
class Scope:
    kind: str  # outer, function, control, lambda, other
    line: int
    depth: int  # of control blocks in the innermost function or lambda
    name: str = ""
    # The statement that goes on after the closing brace: F(Options{}) {
    unfinished: Statement | None = None


def check(tree: Tree) -> list[str]:
    findings = []
    for path, text in sorted(tree.items()):
        if not is_cpp(path) or not path.startswith(("src/", "tests/", "bench/", "include/")):
            continue
        lines = text.count("\n")
        if lines > FILE_LINES:
            findings.append(f"{path}:1: {lines} lines; a file has at most {FILE_LINES}")
        findings += [f"{path}:{line}: {message}" for line, message in measure(text)]
    return findings


def measure(text: str) -> list[tuple[int, str]]:
    """What is too long or too deep in one file, as (line, message)."""
    findings = []
    scopes: list[Scope] = []
    statement, line = Statement(), 1
    for char in _without_directives(strip_cpp(text)):
        line += char == "\n"
        if char == "{":
            scope = _open(statement, line, scopes)
            if scope.kind == "control" and scope.depth == NESTING + 1:
                findings.append((line, f"nested deeper than {NESTING} in {_where(scopes)}"))
            scopes.append(scope)
            statement = Statement()
        elif char == "}":
            scope = scopes.pop() if scopes else Scope("outer", line, 0)
            length = line - scope.line + 1
            if scope.kind == "function" and length > FUNCTION_LINES:
                findings.append((scope.line, f"{scope.name} has {length} lines; "
                                             f"a function has at most {FUNCTION_LINES}"))
            statement = scope.unfinished or Statement()
        else:
            statement = _extend(statement, char, line)
    return findings


def _extend(statement: Statement, char: str, line: int) -> Statement:
    if char == ";" and statement.parens <= 0:
        return Statement()
    if char == ":" and statement.text.strip() in ("public", "private", "protected"):
        return Statement()
    if not statement.text.strip() and not char.isspace():
        statement.line = line
    statement.parens += (char == "(") - (char == ")")
    statement.text += char
    return statement


def _open(statement: Statement, line: int, scopes: list[Scope]) -> Scope:
    text = statement.text
    line = statement.line if text.strip() else line
    outer = next((s for s in reversed(scopes) if s.kind in ("function", "lambda")), None)
    goes_on = None
    if statement.parens > 0 or (outer is None and _MEMBER_INITIALISER.search(text)):
        goes_on = Statement(text + "{}", line, statement.parens)
    depth = scopes[-1].depth if scopes else 0
    if outer is not None and _LAMBDA.search(text):
        return Scope("lambda", line, 0, unfinished=goes_on)
    if goes_on:
        return Scope("other", line, depth, unfinished=goes_on)
    if outer is None:
        return Scope(_outer_kind(text), line, 0, _name(text))
    if _CONTROL.search(text):
        return Scope("control", line, depth + 1)
    return Scope("other", line, depth)


def _outer_kind(header: str) -> str:
    if _TEMPLATE.search(header):
        header = _drop_template(header)
    if _NAMESPACE.search(header) or _TYPE.search(header):
        return "outer"
    if "(" not in header or header.rstrip().endswith("="):
        return "other"
    return "function"


def _drop_template(header: str) -> str:
    depth = 0
    for offset, char in enumerate(header):
        depth += (char == "<") - (char == ">")
        if char == ">" and depth == 0:
            return header[offset + 1:]
    return header


def _name(header: str) -> str:
    macro = re.match(r"\s*(TEST\w*|TYPED_TEST\w*|BENCHMARK\w*)\s*\(([^)]*)\)", header)
    if macro:
        return f"{macro.group(1)}({' '.join(macro.group(2).split())})"
    match = re.search(r"([\w:~]+|operator\S+)\s*\(", header)
    return match.group(1) if match else "a function"


def _where(scopes: list[Scope]) -> str:
    return next((s.name for s in scopes if s.kind == "function"), "a function")


def _without_directives(text: str) -> str:
    """Blanks preprocessor lines: their braces and parentheses need not balance."""
    lines, continued = [], False
    for line in text.split("\n"):
        is_directive = continued or line.lstrip().startswith("#")
        continued = is_directive and line.endswith("\\")
        lines.append("" if is_directive else line)
    return "\n".join(lines)
