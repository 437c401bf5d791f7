"""Processes end with the block, whatever ended it."""

import os
import pathlib
import select
import signal
import subprocess
import sys

import pytest

import processes
from processes import Failed, Processes

CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))))


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def forever(running):
    return running.start([sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"], CORES,
                         stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("error", [None, Failed, KeyboardInterrupt])
def test_ends_what_it_started(error):
    try:
        with Processes() as running:
            process = forever(running)
            assert process.stdout.readline() == "up\n"
            assert is_running(process.pid)
            if error:
                raise error
    except (Failed, KeyboardInterrupt):
        pass
    assert not is_running(process.pid)


def test_ends_what_is_deaf_to_a_request():
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    with Processes() as running:
        process = running.start([sys.executable, "-c", code], CORES, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "up\n"
        assert running.stop(process, seconds=0.1) == -signal.SIGKILL


# The program itself may be killed: then the kernel ends what it started.
def test_what_it_started_does_not_outlive_it():
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import subprocess; from processes import Processes\n"
            "with Processes() as running:\n"
            "    process = running.start([sys.executable, '-c', 'import signal; print(1, flush=True); signal.pause()'],\n"
            "                            sys.argv[2], stdout=subprocess.PIPE)\n"
            "    process.stdout.readline(); print(process.pid, flush=True); sys.stdin.read()\n")
    parent = subprocess.Popen([sys.executable, "-c", code, str(pathlib.Path(processes.__file__).parent), CORES],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    # Readable once it has ended; the limit only keeps a broken version from hanging.
    assert select.select([child], [], [], 30)[0]
    os.close(child)


def test_run_gives_the_output_and_refuses_failures():
    with Processes() as running:
        assert running.run(["cat"], CORES, 30, stdin="text") == ("text", "")
        with pytest.raises(Failed, match="ended with 3: why"):
            running.run(["sh", "-c", "echo why >&2; exit 3"], CORES, 30)
        with pytest.raises(Failed, match="took longer"):
            running.run([sys.executable, "-c", "import signal; signal.pause()"], CORES, 0.05)


def test_the_environment_has_no_settings_of_the_product(monkeypatch):
    monkeypatch.setenv("P402_LISTEN", "x")
    environment = processes.clean_environment(EXTRA="1")
    assert "P402_LISTEN" not in environment and environment["EXTRA"] == "1" and "PATH" in environment


def test_cpu_seconds_grow_with_work():
    before = processes.cpu_seconds(os.getpid())
    sum(range(200_000))
    assert processes.cpu_seconds(os.getpid()) > before
