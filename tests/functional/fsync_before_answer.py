"""No answer of a change leaves before its fdatasync has returned: seen with strace (R1, S1)."""

import re
import shutil

import pytest

from support.server import Server

SYNC = re.compile(r"(?:fdatasync|fsync)\((\d+)<([^>]*)>")


def events_of(trace):
    """(what, detail) in the order in which the calls began or, for a sync, returned."""
    unfinished, events = {}, []
    for line in trace.splitlines():
        match = re.match(r"(\d+)\s+(.*)", line)
        if not match:
            continue
        thread, text = match.groups()
        if "<unfinished ...>" in text:
            sync = SYNC.search(text)
            if sync:
                unfinished[thread] = sync.group(2)
            else:
                events.append(("call", text))
        elif "resumed>" in text:
            if "sync resumed" in text and thread in unfinished:
                assert text.rstrip().endswith("= 0"), text
                events.append(("synced", unfinished.pop(thread)))
            else:
                events.append(("call", text))
        elif sync := SYNC.search(text):
            assert text.rstrip().endswith("= 0"), text
            events.append(("synced", sync.group(2)))
        else:
            events.append(("call", text))
    return events


@pytest.mark.measured
def test_R1_every_change_is_on_disk_before_it_is_answered(tmp_path):
    if not shutil.which("strace"):
        pytest.skip("no strace")
    trace = tmp_path / "trace"
    server = Server(wrapper=["strace", "-f", "-y", "-s", "4096", "-o", str(trace), "-e",
                             "trace=fdatasync,fsync,read,recvfrom,recvmsg,readv,write,writev,sendto,sendmsg"])
    server.init()
    try:
        server.start(60)
        fast = server.fast()
        changes = []

        def change(method, path, body, kind, journal=False):
            number = len(changes)
            answer = fast.request(method, path, body, extra=f"X-Marker: marker-{number}-\r\n")
            assert answer.status in (200, 201), answer
            changes.append((number, f"{answer.header('x-request-id')}", kind, journal))
            return answer.json()

        for i in range(10):
            made = change("POST", "/api/v2/keys", {"name": f"k{i}", "scopes": []}, "create")
            change("PATCH", f"/api/v2/keys/{made['id']}", {"name": "renamed"}, "rename")
            change("PATCH", f"/api/v2/keys/{made['id']}", {"disabled": True}, "disable", journal=True)
            change("PATCH", f"/api/v2/keys/{made['id']}", {"disabled": False}, "enable")
            change("POST", f"/api/v2/keys/{made['id']}/rotate", {"grace": "0"}, "rotate", journal=True)
            change("DELETE", f"/api/v2/keys/{made['id']}", None, "revoke", journal=True)
        change("POST", "/api/v2/accounts", {"name": "second"}, "account")
        fast.close()
        server.stop(60)
    finally:
        server.close()

    events = events_of(trace.read_text(errors="replace"))
    for number, request_id, kind, journal in changes:
        asked = next(i for i, (what, text) in enumerate(events) if what == "call" and f"marker-{number}-" in text)
        answered = next(i for i, (what, text) in enumerate(events)
                        if what == "call" and i > asked and request_id in text and "HTTP/1.1 20" in text)
        synced = [path for what, path in events[asked:answered] if what == "synced"]
        assert any(path.endswith("p402.db-wal") for path in synced), (kind, number, synced)
        if journal:
            assert any(path.endswith("revocations.journal") for path in synced), (kind, number, synced)
    assert len(changes) == 61
