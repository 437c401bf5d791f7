from pathlib import Path

import tidy


def _key(tmp_path: Path, command="c++", settings="s", **files):
    tidy._read.cache_clear()
    for name, text in files.items():
        (tmp_path / f"{name}.h").write_text(text)
    entry = {"command": command, "file": str(tmp_path / "a.h")}
    return tidy.key_of(entry, settings, [tmp_path])


def test_a_unit_is_looked_at_again_only_if_something_of_it_changed(tmp_path):
    files = {"a": '#include "b.h"\n', "b": "#include <c.h>\n#include <vector>\n", "c": "int x;\n", "d": "y"}
    key = _key(tmp_path, **files)
    assert _key(tmp_path, **files | {"d": "z"}) == key
    assert _key(tmp_path, **files | {"a": '#include "b.h"\n\n'}) != key
    assert _key(tmp_path, **files | {"c": "int y;\n"}) != key
    assert _key(tmp_path, command="c++ -O2", **files) != key
    assert _key(tmp_path, settings="t", **files) != key


def test_clones_share_what_was_found(tmp_path):
    keys = []
    for clone in ("one", "two"):
        (tmp_path / clone).mkdir()
        (tmp_path / clone / "b.h").write_text("")
        keys.append(_key(tmp_path / clone, command=f"c++ -I{tmp_path / clone}/src", a='#include "b.h"'))
    assert keys[0] == keys[1]


def test_what_the_build_writes_is_left_out(tmp_path):
    assert tidy.is_looked_at(str(tidy.ROOT / "src/key/scope.cc"), tidy.ROOT / "build/debug")
    assert not tidy.is_looked_at(str(tidy.ROOT / "build/debug/src/a.cc"), tidy.ROOT / "build/debug")
    assert not tidy.is_looked_at(str(tmp_path / "a.cc"), tidy.ROOT / "build/debug")
    for test in ("src/key/scope_test.cc", "src/key/scope_fuzz.cc", "src/base/testing/fakes.cc"):
        assert not tidy.is_looked_at(str(tidy.ROOT / test), tidy.ROOT / "build/debug")
