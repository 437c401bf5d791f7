"""The processes of a measurement: pinned to a core, bounded in time, and ended by their id whatever happens."""

import os
import pathlib
import signal
import subprocess
import sys
import time


def say(text):
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


class Failed(Exception):
    """The measurement cannot go on; the text says why."""


def pinned(core, command):
    """`command` on one core; it ends with the process that started it, also if that is killed."""
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(core), *map(str, command)]


def cpu_seconds(pid):
    """User and system time of all threads of a process, with the kernel's resolution, not that of its ticks."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed(f"process {pid} has ended")


class Processes:
    """Starts processes, and ends those that still run at the end of the `with` block.

    Each has a process group of its own: Ctrl-C reaches this program alone, which then ends them.
    """

    def __init__(self):
        self._running = []
        self._old_handler = None

    def __enter__(self):
        self._old_handler = signal.signal(signal.SIGTERM, self._on_term)
        return self

    @staticmethod
    def _on_term(number, frame):
        raise KeyboardInterrupt

    def __exit__(self, *error):
        for process in reversed(self._running):
            self._end(process)
        self._running.clear()
        signal.signal(signal.SIGTERM, self._old_handler)

    def start(self, command, core, **options):
        """A process that goes on until stop() or the end of the block."""
        process = subprocess.Popen(pinned(core, command), start_new_session=True, **options)
        self._running.append(process)
        return process

    def stop(self, process, seconds=60):
        """Ends a process that was started here. Returns its exit code."""
        self._running.remove(process)
        return self._end(process, seconds)

    def run(self, command, core, seconds, stdin="", env=None, cwd=None, may_fail=False):
        """Runs a command to its end. Returns (standard output, standard error); fails if it takes too long."""
        process = self.start(command, core, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=env, cwd=cwd)
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{pathlib.Path(str(command[0])).name} took longer than {seconds:.0f} s") from None
        finally:
            self.stop(process)
        if process.returncode != 0 and not may_fail:
            raise Failed(f"{pathlib.Path(str(command[0])).name} ended with {process.returncode}: "
                         f"{(err or out).strip()[-600:]}")
        return out, err

    @staticmethod
    def _end(process, seconds=60):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        code = process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
        return code


def clean_environment(**extra):
    """The environment without the variables that the product reads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("P402_")}
    return {**kept, **extra}
