import floors


def _findings(path, include, *others):
    tree = {path: f'#pragma once\n#include "{include}"\n'}
    tree |= {"src/" + include: "", **{other: "" for other in others}}
    return floors.check(tree)


def test_a_lower_floor_may_be_included():
    assert _findings("src/service/keys.h", "base/result.h") == []
    assert _findings("src/feed/feed.cc", "store/store.h") == []


def test_a_higher_floor_may_not():
    assert _findings("src/key/scope.cc", "store/store.h") == [
        "src/key/scope.cc:2: key includes the higher floor store"]


def test_a_sibling_may_not():
    assert "sibling" in _findings("src/index/index.cc", "store/keys.h")[0]
    assert "sibling" in _findings("src/net/server.cc", "key/record.h")[0]
    assert "sibling" in _findings("src/app/serve.cc", "cli/keys.h")[0]
    assert "sibling" in _findings("src/lib/c_api.cc", "api/api.h")[0]


def test_tests_obey_too():
    assert _findings("src/key/scope_test.cc", "feed/feed.h") != []


def test_its_own_folder_may():
    assert _findings("src/net/server.cc", "net/connection.h") == []


def test_main_sees_all():
    assert _findings("src/main.cc", "app/app.h") == []


def test_an_include_is_relative_to_src():
    tree = {"src/net/server.cc": '#include "message.h"\n', "src/net/message.h": ""}
    assert "relative to src/" in floors.check(tree)[0]


def test_an_unknown_folder_is_a_finding():
    assert "no floor" in _findings("src/extra/a.cc", "base/result.h")[0]


def test_fakes_are_for_tests():
    assert "fake" in _findings("src/key/ids.cc", "base/testing/fakes.h")[0]
    assert _findings("src/key/ids_test.cc", "base/testing/fakes.h") == []
    assert _findings("src/feed/testing/fakes.cc", "base/testing/fakes.h") == []
    assert _findings("src/feed/feed_test.h", "base/testing/fakes.h") == []


def test_a_library_in_quotes_is_no_floor():
    assert floors.check({"src/key/ids_test.cc": '#include "gtest/gtest.h"\n'}) == []
