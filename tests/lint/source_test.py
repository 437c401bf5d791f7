import subprocess

from source import is_test, read_tree, strip_cpp


def test_strip_keeps_lines_and_drops_comments_and_literals():
    text = 'a; // "b"\n/* c\nd */ e("f // g", \'"\');\nR"x(h\n)x" i;\n1\'000\'000; j'
    stripped = strip_cpp(text)
    assert stripped.count("\n") == text.count("\n")
    assert [word for word in "abcdefghij" if word in stripped] == ["a", "e", "i", "j"]
    assert "1'000'000" in stripped


def test_is_test():
    assert is_test("src/key/a_test.cc") and is_test("src/base/testing/fakes.cc")
    assert not is_test("src/key/a.cc")


def test_read_tree_leaves_out_what_is_ignored(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("*.o\n")
    (tmp_path / "a.cc").write_text("int a;\n")
    (tmp_path / "a.o").write_text("x")
    (tmp_path / "seed").write_bytes(b"\xff\xfe")
    assert read_tree(tmp_path) == {".gitignore": "*.o\n", "a.cc": "int a;\n", "seed": ""}
