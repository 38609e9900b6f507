#!/usr/bin/env python3
"""A page allocator as a target of ionclad. Copy it, and put your own code where Pages is. See PROTOCOL.md."""
import errno
import json
import sys

LEAK = sys.argv[1:] == ["--bug", "leak"]  # shows that a bug is found; not for copying


class Pages:
    """One flag a page, first fit. A block is aligned to its own size; an error is an OSError."""

    def __init__(self, machine):
        self.order_max, self.reserve = machine["orderMax"], machine["reserve"]
        self.is_free = [True] * machine["pages"]
        for first, count in machine["occupied"] + machine["movable"]:
            self.is_free[first:first + count] = [False] * count
        self.free_count = sum(self.is_free)

    def alloc_pages(self, order):
        if not 0 <= order <= self.order_max:
            raise OSError(errno.EINVAL, "no such order")
        size = 1 << order
        for first in range(0, len(self.is_free) - size + 1, size):
            if self.free_count - size >= self.reserve and all(self.is_free[first:first + size]):
                self.is_free[first:first + size] = [False] * size
                self.free_count -= size
                return first, size
        raise OSError(errno.ENOMEM, "no such block")

    def free_pages(self, block):
        first, size = block
        given = size - 1 if LEAK and size > 1 else size
        self.is_free[first:first + given] = [True] * given
        self.free_count += given


def shown(pages):
    """The column of counters: only free pages, as nothing else is kept here."""
    return {"counter": [pages.free_count] + [0] * 8}


def run(pages, slots, call):
    """Makes one call. Results stay here, in slots; their page numbers are nobody's business."""
    references = {name: value for name, value in call["args"].items() if isinstance(value, dict)}
    if any(value["slot"] not in slots for value in references.values()):
        return "skipped"
    found = {name: slots[value["slot"]] for name, value in references.items()}
    try:
        result = getattr(pages, call["op"])(**{**call["args"], **found})
    except OSError as error:
        return {"errno": errno.errorcode[error.errno], "shown": shown(pages)}
    for value in references.values():
        if value.get("consumes"):
            del slots[value["slot"]]
    if "into" in call:
        slots[call["into"]] = result
    return {"ok": {}, "shown": shown(pages)}


def say(value):
    print(json.dumps(value), flush=True)


say({"ionclad": 1, "name": "pages.py", "calls": ["alloc_pages", "free_pages"], "capabilities": []})
for line in sys.stdin:
    request = json.loads(line)
    if "boot" in request:
        pages, slots = Pages(request["boot"]), {}
        say({"ok": True})
    elif "batch" in request:
        say({"replies": [run(pages, slots, call) for call in request["batch"]]})
    else:
        break
