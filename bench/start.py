"""start: from exec to the line `ready`, for growing stores, from SQLite and from a snapshot, warm and at first touch."""

import os

from figures import Figure, at_most
from processes import Failed, say
from record import Page, first_line, table
from servers import Product, Store
from setup import column

LIMITS = {"SQLite": 20, "snapshot": 3}
JUDGED_KEYS = 10_000_000
HEAD = ["keys", "from", "page cache", "seconds to ready", "resident MB"]


def sizes(setup):
    return [size for size in (setup.max_keys // 100, setup.max_keys // 10, setup.max_keys) if size >= 1]


def snapshots(store):
    return [path for path in store.data.iterdir() if "snapshot" in path.name]


def touch(store, is_warm):
    """Reads every file into the page cache, or makes the kernel forget them."""
    for path in store.data.rglob("*"):
        if not path.is_file():
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if is_warm:
                while os.read(descriptor, 1 << 20):
                    pass
            else:
                os.fsync(descriptor)  # what is not written yet cannot be forgotten
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def once(setup, store, source, is_warm):
    if source == "SQLite":
        for path in snapshots(store):
            path.unlink()
    touch(store, is_warm)
    product = Product(setup, store)
    result = {"seconds": product.seconds_to_ready, "bytes": product.resident_bytes()}
    product.stop()
    return result


def prepare(setup, folder, size):
    """A store that was served once and stopped: it has everything that a stop leaves behind."""
    store = Store(setup, folder / f"keys-{size}", size)
    Product(setup, store).stop()
    return store


def measure(setup, store, page):
    rows = []
    for source in LIMITS:
        if source == "snapshot" and not snapshots(store):
            continue
        for is_warm in (True, False):
            results = []
            for number in range(setup.rounds):
                results.append(once(setup, store, source, is_warm))
                say(f"start: {store.keys:,} keys from {source}, round {number + 1} of {setup.rounds}")
                if source == "snapshot" and not snapshots(store):
                    raise Failed("a stop left no snapshot")
            seconds = Figure.of(column(results, "seconds"))
            rows.append([f"{store.keys:,}", source, "warm" if is_warm else "empty", seconds.text(3),
                         Figure.of(value / 1e6 for value in column(results, "bytes")).text(1)])
            if store.keys == JUDGED_KEYS and is_warm:
                page.judge(at_most(f"seconds to ready with {store.keys:,} keys from {source}", LIMITS[source], seconds, unit=" s"))
    return rows


def run(setup):
    page = Page("start", "From exec to ready", setup, [first_line(str(setup.binary), "version")])
    page.add("The folder was served and stopped before. \"Warm\": every file has just been read. \"Empty\": the kernel has forgotten "
             "them (`posix_fadvise`, DONTNEED), so that each is read from the disk.")
    rows = []
    with setup.scratch() as folder:
        for size in sizes(setup):
            store = prepare(setup, folder, size)
            rows += measure(setup, store, page)
            store.remove()
    if not rows:
        raise Failed("no store was measured")
    page.add(table(HEAD, rows))
    judged = {target.what.rsplit(" ", 1)[1] for target in page.targets}
    for source, limit in LIMITS.items():
        if source not in judged:
            page.judge(at_most(f"seconds to ready with {JUDGED_KEYS:,} keys from {source}", limit, unit=" s", reason="no such store, or no snapshot"))
    return page
