import layout


def test_a_header_needs_its_guard():
    assert layout.check({"src/key/a.h": "#pragma once\n"}) == []
    assert "#pragma once" in layout.check({"src/key/a.h": "// #pragma once\nint a;\n"})[0]


def test_a_fuzz_target_needs_a_seed():
    source = {"src/store/sqlite/journal_fuzz.cc": ""}
    assert layout.check(source | {"tests/corpus/store_journal_fuzz/one": ""}) == []
    assert layout.check(source) == [
        "src/store/sqlite/journal_fuzz.cc:1: the fuzz target store_journal_fuzz has no seed in "
        "tests/corpus/store_journal_fuzz/"]


def test_a_corpus_needs_its_target():
    assert "no fuzz target" in layout.check({"tests/corpus/gone_fuzz/one": ""})[0]


def test_names_say_what_is_inside():
    assert layout.check({"src/key/key_utils.cc": ""}) != []
    assert layout.check({"src/key/helpers.h": "#pragma once\n"}) != []
    assert layout.check({"src/key/Scope.cc": ""}) != []
    assert layout.check({"src/key/scope.cc": ""}) == []
