import instructions

LISTING = """
Ir
77,328,975 (100.0%)  PROGRAM TOTALS

Ir                   file:function
34,164,000 (44.18%)  ???:0x000000000029ad80 [/usr/lib/x86_64-linux-gnu/libcrypto.so.3]
 3,600,000 ( 4.66%)  ???:crc32_z [/usr/lib/x86_64-linux-gnu/libz.so.1.2.13]
 1,668,504 ( 2.16%)  ???:OPENSSL_cleanse [/usr/lib/x86_64-linux-gnu/libcrypto.so.3]
   529,410 ( 0.68%)  ???:0x0000000000230920 [/usr/lib/x86_64-linux-gnu/libcrypto.so.3]
"""


def test_the_block_of_sha256_is_left_out():
    assert instructions.without_sha256(LISTING) == 77_328_975 - 34_164_000
    assert instructions.without_sha256("10 (100.0%)  PROGRAM TOTALS\n") == 10


def test_the_file_is_read_as_it_was_written():
    figures = {"verify_in_process": 2288, "authz_request": 30_591}
    text = instructions.write("g++ 12", figures)
    assert instructions.read(text) == ("g++ 12", figures)
    assert instructions.read("") == ("", {})


def test_five_percent_more_is_allowed_and_no_more():
    kept = {"a": 2000}
    assert instructions.compare(kept, {"a": 2100}) == []
    assert instructions.compare(kept, {"a": 1000}) == []
    [line] = instructions.compare(kept, {"a": 2101})
    assert line.startswith("a: 2,101 instructions, +5.")


def test_a_figure_does_not_vanish_unseen():
    assert instructions.compare({"a": 1}, {}) == ["a: not counted any more"]
    assert instructions.compare({}, {"a": 1}) == ["a: not in bench/instructions.txt"]


def counting(monkeypatch, tmp_path, figures, kept_with="g++ 12"):
    monkeypatch.setattr(instructions, "KEPT", tmp_path / "instructions.txt")
    monkeypatch.setattr(instructions, "compiler", lambda: "g++ 12")
    instructions.KEPT.write_text(instructions.write(kept_with, {"a": 100}))
    counted = []

    def count(build):
        counted.append(build)
        return dict(figures)
    monkeypatch.setattr(instructions, "count", count)
    return counted


def test_the_outcome(monkeypatch, tmp_path):
    counting(monkeypatch, tmp_path, {"a": 105})
    assert instructions.main(tmp_path, is_update=False) == 0
    counting(monkeypatch, tmp_path, {"a": 106})
    assert instructions.main(tmp_path, is_update=False) == 1


def test_another_compiler_is_not_compared(monkeypatch, tmp_path):
    counting(monkeypatch, tmp_path, {"a": 200}, kept_with="g++ 11")
    assert instructions.main(tmp_path, is_update=False) == 0


def test_update_keeps_what_was_counted(monkeypatch, tmp_path):
    counting(monkeypatch, tmp_path, {"a": 200, "b": 3})
    assert instructions.main(tmp_path, is_update=True) == 0
    assert instructions.read(instructions.KEPT.read_text()) == ("g++ 12", {"a": 200, "b": 3})


def test_a_check_counts_again_only_after_a_change(monkeypatch, tmp_path):
    program = tmp_path / "p402"
    program.write_text("one")
    counted = counting(monkeypatch, tmp_path, {"a": 100})
    for _ in range(2):
        assert instructions.check(tmp_path) == 0
    assert len(counted) == 1
    program.write_text("two")
    assert instructions.check(tmp_path) == 0
    assert len(counted) == 2


def test_a_check_that_failed_counts_again(monkeypatch, tmp_path):
    counted = counting(monkeypatch, tmp_path, {"a": 200})
    for _ in range(2):
        assert instructions.check(tmp_path) == 1
    assert len(counted) == 2
