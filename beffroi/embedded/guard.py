"""Outlives its parent by a moment to stop the servers that the parent can no longer stop.

A plain script. It reads orders from standard input, one a line:

    watch PID SIGNAL    remember a server and how to ask it to stop
    remove PATH         remember a folder to delete
    release             everything was stopped in order; leave without doing anything

When the input ends without `release` the parent is dead, even by kill -9, and the guard acts.
A parent-death signal would be shorter, but it fires when the *thread* that started the server
ends, and it cannot ask for an orderly stop first.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time

PATIENCE_S = 15.0


def main() -> None:
    """Follow orders until the parent says goodbye or dies."""
    # A terminal's Ctrl-C and hang-up go to the parent, which stops the servers in its own way.
    for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    watched: list[tuple[int, int]] = []
    folders: list[str] = []
    for line in sys.stdin:
        order, _, rest = line.rstrip("\n").partition(" ")
        if order == "watch":
            pid, stop = rest.split()
            try:
                # A descriptor names the process itself: a reused number is never signalled.
                watched.append((os.pidfd_open(int(pid)), int(stop)))
            except ProcessLookupError:
                continue
        elif order == "remove":
            folders.append(rest)
        elif order == "release":
            return
    end(watched)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end(watched: list[tuple[int, int]]) -> None:
    """Ask every server to stop, then insist."""
    deadline = time.monotonic() + PATIENCE_S
    for process, stop in watched:
        send(process, stop)
    for process, _ in watched:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([process], [], [], left)[0]:
            send(process, signal.SIGKILL)


def send(process: int, number: int) -> None:
    """Signal a process that may already be gone."""
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
