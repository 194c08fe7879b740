"""A disk that can be full for the database alone, on any machine and without privilege.

Readings, rollups and books lie in a tablespace; the log of the database, without which it
could not even go on running, lies elsewhere. Two ways, the first that works is taken:

* ``tmpfs``: the tablespace is a small file system in memory, mounted in a name space of this
  process alone (of its own making where it is not root), and filled up.
* ``device``: where no name space may be made, as in most containers, every batch also
  writes to a table whose file is ``/dev/full``.

Both times the kernel says ENOSPC to PostgreSQL, and PostgreSQL says what it always says:
"could not extend file", SQLSTATE 53100.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import psycopg

from beffroi.embedded.processes import until
from beffroi.embedded.stack import DATABASE, Stack

MEGABYTES = 192
_NEW_NAMESPACE, _NEW_USER, _PRIVATE, _RECURSIVE, _DETACH = 0x20000, 0x10000000, 1 << 18, 1 << 14, 2
_BALLAST = "ballast"


def enter_namespace() -> bool:
    """Give this process mounts of its own; to be called before any thread is started."""
    if os.environ.get("FAULTS_DISK") == "device":
        return False
    # Tried by a child first: half a name space would leave us without an identity.
    child = os.fork()
    if child == 0:
        os._exit(0 if _enter() else 1)
    return os.waitpid(child, 0)[1] == 0 and _enter()


def _enter() -> bool:
    libc = ctypes.CDLL(None)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_NAMESPACE if uid == 0 else _NEW_USER | _NEW_NAMESPACE) != 0:
        return False
    if uid != 0:
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        except OSError:
            return False
    # Otherwise the machine would see our mounts, and keep them.
    return bool(libc.mount(b"none", b"/", None, _PRIVATE | _RECURSIVE, None) == 0)


class Room:
    """The room that one stack's database has."""

    def __init__(self, stack: Stack, folder: Path, conninfo: str, *, namespace: bool) -> None:
        self._stack = stack
        self._conninfo = conninfo
        self._folder = folder
        self._mounted = namespace and self._mount()
        self.way = "tmpfs" if self._mounted else "device"
        if self._mounted:
            self._move_database()

    def fill(self) -> None:
        """From now on the database cannot grow."""
        if self._mounted:
            size = 0
            with (self._folder / _BALLAST).open("wb") as ballast:
                # The database goes on growing meanwhile: what is left is not known beforehand.
                for piece in (1 << 20, 1 << 12):
                    with suppress(OSError):
                        while True:
                            os.posix_fallocate(ballast.fileno(), size, piece)
                            size += piece
            return
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(
                """
                CREATE SCHEMA fault;
                CREATE TABLE fault.ballast (x int4);
                CREATE FUNCTION fault.weigh() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN INSERT INTO fault.ballast VALUES (1); RETURN NULL; END $$;
                CHECKPOINT
                """
            )
            row = connection.execute("SELECT pg_relation_filepath('fault.ballast')").fetchone()
            assert row is not None
            file = self._stack.postgres.data / row[0]
            file.rename(file.with_suffix(".kept"))
            file.symlink_to("/dev/full")
            connection.execute(
                "CREATE TRIGGER weigh AFTER INSERT ON pipeline.batch"
                " FOR EACH STATEMENT EXECUTE FUNCTION fault.weigh()"
            )

    def clear(self) -> None:
        """There is room again."""
        if self._mounted:
            (self._folder / _BALLAST).unlink()
            return
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute("DROP TRIGGER weigh ON pipeline.batch")
            row = connection.execute("SELECT pg_relation_filepath('fault.ballast')").fetchone()
            assert row is not None
            file = self._stack.postgres.data / row[0]
            file.with_suffix(".kept").rename(file)
            connection.execute("DROP SCHEMA fault CASCADE")

    def close(self) -> None:
        """Unmount; the database was stopped before."""
        if self._mounted:
            ctypes.CDLL(None).umount2(str(self._folder).encode(), _DETACH)

    def _mount(self) -> bool:
        self._folder.mkdir()
        libc = ctypes.CDLL(None)
        options = f"size={MEGABYTES}m,mode=0700".encode()
        if libc.mount(b"tmpfs", str(self._folder).encode(), b"tmpfs", 0, options) != 0:
            return False
        user = self._stack.postgres.user
        if user is not None:
            os.chown(self._folder, user.uid, user.gid)
        return True

    def _move_database(self) -> None:
        elsewhere = self._conninfo.removesuffix(DATABASE) + "postgres"
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            folder = str(self._folder).replace("'", "''")
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'".encode())
            if not until(lambda: _moved(connection), 20, 0.1):
                raise RuntimeError("the database is always in use and cannot be moved")


def _moved(connection: psycopg.Connection) -> bool:
    # TimescaleDB looks into every database now and then, and may stay: out with it, and keep it out.
    connection.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false".encode())
    try:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [DATABASE]
        )
        connection.execute(f"ALTER DATABASE {DATABASE} SET TABLESPACE small".encode())
    except psycopg.errors.ObjectInUse:
        return False
    finally:
        connection.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true".encode())
    return True
