import links

PAGE = "# One Thing\n\n## `p402 serve`: what, and why?\n\n## Twice\n\n## Twice\n<a id=\"own\"></a>\n"


def _findings(text, path="README.md"):
    return links.check({path: text, "docs/page.md": PAGE, "docs/picture.png": ""})


def test_what_exists_is_accepted():
    assert _findings("[a](docs/page.md) [b](docs) ![c](docs/picture.png) [d](./docs/page.md \"t\")") == []
    assert _findings("[a](page.md) [b](../docs/)", "docs/other.md") == []
    assert _findings("[web](https://example.org/x.md#y) [mail](mailto:a@example.org)") == []


def test_what_does_not_exist_is_a_finding():
    assert _findings("\n[a](docs/gone.md)") == ["README.md:2: (docs/gone.md): there is no such file"]
    assert _findings("[a][1]\n\n[1]: gone.md\n") == ["README.md:3: (gone.md): there is no such file"]
    assert "absolute" in _findings("[a](/docs/page.md)")[0]
    assert "no such file" in _findings("![a](docs/gone.png)")[0]


def test_anchors_are_those_of_the_headings():
    assert _findings("[a](docs/page.md#one-thing) [b](docs/page.md#p402-serve-what-and-why)"
                     " [c](docs/page.md#twice-1) [d](docs/page.md#own)") == []
    assert "no such heading" in _findings("[a](docs/page.md#one)")[0]
    assert "no such heading" in _findings("# Here\n[a](#there)")[0]
    assert _findings("# Here\n[a](#here)") == []


def test_code_is_not_read():
    assert _findings("```\n[a](gone.md)\n# no heading\n```\n`[a](gone.md)` ``[a](gone`.md)``") == []
    assert "no such heading" in _findings("```\n# Fenced\n```\n[a](#fenced)")[0]
