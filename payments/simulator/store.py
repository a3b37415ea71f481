"""Where the simulator keeps its objects: one SQLite file, one connection, one transaction a call."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from payments.simulator.faults import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_age ON objects (kind, created);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS objects_by_source ON objects (kind, json_extract(body, '$.source'));
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL, request TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, answered_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, due_at REAL NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', last_status INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS chores (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL, target TEXT NOT NULL, due_at REAL NOT NULL);
"""


@dataclass(frozen=True)
class Answer:
    """What an idempotency key was answered with."""

    path: str
    fingerprint: str
    request: str
    status: int
    body: str


@dataclass(frozen=True)
class Delivery:
    """One notice on its way to the merchant."""

    seq: int
    event: str
    due_at: float
    attempt_count: int
    state: str
    last_status: int | None


class Store:
    """Objects by id and kind, remembered answers, notices under way, and what is to be done later."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {SCHEMA}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; the caller may roll back to a clean slate by raising."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def put(self, thing: Json) -> None:
        """Keeps a new object or the new state of a known one."""
        self.db.execute(
            "INSERT INTO objects (id, kind, created, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (thing["id"], thing["object"], thing["created"], json.dumps(thing, ensure_ascii=False)),
        )

    def get(self, object_id: str, kind: str | None = None) -> Json | None:
        """The object with this id, or None; with a kind, only if it is of that kind."""
        row = self.db.execute("SELECT kind, body FROM objects WHERE id = ?", (object_id,)).fetchone()
        return json.loads(row[1]) if row and kind in {None, row[0]} else None

    def place(self, object_id: str) -> int | None:
        """Where the object stands in the order of creation."""
        row = self.db.execute("SELECT seq FROM objects WHERE id = ?", (object_id,)).fetchone()
        return row[0] if row else None

    def select(self, where: str, values: list[Any], order: str, most: int) -> list[Json]:
        """Objects by a condition written by us, never by a caller; `order` is ASC or DESC by creation."""
        sql = f"SELECT body FROM objects WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        return [json.loads(row[0]) for row in self.db.execute(sql, [*values, most])]

    def counts(self) -> dict[str, int]:
        """How many objects there are of each kind."""
        return dict(self.db.execute("SELECT kind, count(*) FROM objects GROUP BY kind"))

    def answer(self, key: str) -> Answer | None:
        """What this idempotency key was answered with before, if it was."""
        columns = "path, fingerprint, request, status, body"
        row = self.db.execute(f"SELECT {columns} FROM answers WHERE key = ?", (key,)).fetchone()  # noqa: S608
        return Answer(*row) if row else None

    def remember(self, key: str, answer: Answer, now: float) -> None:
        """Keeps an answer for its key."""
        self.db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, answer.path, answer.fingerprint, answer.request, answer.status, answer.body, now),
        )

    def forget_answers(self, before: float) -> None:
        """Drops the answers given before that moment."""
        self.db.execute("DELETE FROM answers WHERE answered_at < ?", (before,))

    def send_later(self, event: str, due_at: float) -> int:
        """Puts a notice on its way and returns its number."""
        done = self.db.execute("INSERT INTO deliveries (event, due_at) VALUES (?, ?)", (event, due_at))
        return int(done.lastrowid or 0)

    def deliveries(self, state: str = "waiting", until: float | None = None, most: int = 1000) -> list[Delivery]:
        """Notices in this state that are due, the longest due first."""
        rows = self.db.execute(
            "SELECT seq, event, due_at, attempt_count, state, last_status FROM deliveries"
            " WHERE state = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
            (state, until if until is not None else 1e18, most),
        )
        return [Delivery(*row) for row in rows]

    def claim(self, seq: int) -> None:
        """Marks a notice as being sent just now, so that it is not sent twice at once."""
        self.db.execute("UPDATE deliveries SET state = 'sending' WHERE seq = ?", (seq,))

    def release_claims(self) -> None:
        """After a restart: what was being sent when the process died is sent again."""
        self.db.execute("UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'")

    def note_delivery(self, seq: int, *, state: str, status: int | None, due_at: float) -> None:
        """Writes down how an attempt to deliver went."""
        self.db.execute(
            "UPDATE deliveries SET attempt_count = attempt_count + 1, state = ?, last_status = ?, due_at = ?"
            " WHERE seq = ?",
            (state, status, due_at, seq),
        )

    def do_later(self, act: str, target: str, due_at: float) -> None:
        """Notes something to be done to an object at a moment."""
        self.db.execute("INSERT INTO chores (act, target, due_at) VALUES (?, ?, ?)", (act, target, due_at))

    def due_chores(self, until: float) -> list[tuple[str, str]]:
        """What is to be done by that moment: (act, object id), the longest due first."""
        return list(self.db.execute("SELECT act, target FROM chores WHERE due_at <= ? ORDER BY due_at, seq", (until,)))

    def drop_chores(self, act: str, target: str) -> None:
        """Takes this act on this object off the list."""
        self.db.execute("DELETE FROM chores WHERE act = ? AND target = ?", (act, target))

    def next_chore_at(self) -> float | None:
        """When the next chore falls due, or None."""
        row = self.db.execute("SELECT min(due_at) FROM chores").fetchone()
        return row[0] if row else None

    def next_delivery_at(self) -> float | None:
        """When the next notice falls due, or None."""
        row = self.db.execute("SELECT min(due_at) FROM deliveries WHERE state = 'waiting'").fetchone()
        return row[0] if row else None

    def forget_everything(self) -> None:
        """Empties the store."""
        for table in ("objects", "answers", "deliveries", "chores"):
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608  our own names

    def close(self) -> None:
        """Closes the file."""
        self.db.close()
