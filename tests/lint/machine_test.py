import pytest

import machine

WORK, ROOT, HOME = "/wo" "rk", "/ro" "ot", "/ho" "me"


@pytest.mark.parametrize("text", [
    f"see {WORK}/main/src", f'"{WORK}"', f"cd {WORK}", f"{ROOT}/.cache", f"{HOME}/someone/x",
    "/Us" "ers/someone", "https://registry." "npmjs.org/a", "files." "pythonhosted.org",
    "from cra" "tes.io", "http://deb." "debian.org/debian",
])
def test_is_refused(text):
    assert machine.check({"a.txt": "\n" + text + "\n"})[0].startswith("a.txt:2: ")


@pytest.mark.parametrize("text", [
    "src/work/a", "frame/work", "/workspace", "/api/v2/root", "$HOME/work/x", "https://example.org/work/x",
    "/home", "~/.config/p402", "debian.org", "/tmp/x", "root/x", "network/work", "docs/work",
])
def test_is_accepted(text):
    assert machine.check({"a.txt": text + "\n"}) == []
