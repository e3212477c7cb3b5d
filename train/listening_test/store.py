"""Raters, their questions and their answers in one SQLite file; each answer is on the disk before the next question.

The file is in WAL mode, and every change is one transaction: a server that is killed loses nothing, and an answer that
comes twice counts once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from train.listening_test.material import Material
from train.listening_test.plan import SCALE, Trial, rating_plan

FILE = "ratings.sqlite3"
LONGEST_CODE = 64  # characters
SCHEMA = """
CREATE TABLE IF NOT EXISTS raters (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, begun TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trials (
    token TEXT PRIMARY KEY, rater INTEGER NOT NULL REFERENCES raters (id), position INTEGER NOT NULL,
    question TEXT NOT NULL, system TEXT NOT NULL, clip TEXT NOT NULL, check_kind TEXT NOT NULL,
    low INTEGER NOT NULL, high INTEGER NOT NULL, UNIQUE (rater, position)
);
CREATE TABLE IF NOT EXISTS ratings (
    token TEXT PRIMARY KEY REFERENCES trials (token), score INTEGER NOT NULL, heard REAL NOT NULL, at TEXT NOT NULL
);
"""
COLUMNS = "trials.token, question, system, clip, check_kind, low, high"


@dataclass(frozen=True)
class Standing:
    """Where a rater is: the next question, None when all are answered, and how many are."""

    trial: Trial | None
    done: int
    total: int


@dataclass(frozen=True)
class Rating:
    """An answer, with what it is about."""

    rater: int
    trial: Trial
    score: int
    heard: float  # share of the sound that was played, as the browser says


class Store:
    """The file of a test.

    Raises:
        ValueError: it is something else, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with self._open() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise ValueError(f"{path} cannot be used for ratings ({error}); move it away.") from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each call: handlers run in many threads."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def begin(self, code: str, material: Material, most: int, rng: np.random.Generator) -> Standing:
        """Let a rater in, with questions of their own, or back in where they were.

        Args:
            code: by which the rater is known. most: clips for a rater; 0 = all.
        """
        with self._change() as connection:
            if connection.execute("SELECT 1 FROM raters WHERE code = ?", (code,)).fetchone() is None:
                counted = "SELECT clip, COUNT(DISTINCT rater) FROM trials WHERE check_kind = '' GROUP BY clip"
                trials = rating_plan(material, dict(connection.execute(counted)), most, rng)
                added = connection.execute("INSERT INTO raters (code, begun) VALUES (?, ?)", (code, _now()))
                rows = [
                    (t.token, added.lastrowid, k, t.question, t.system, t.clip, t.check, t.low, t.high)
                    for k, t in enumerate(trials)
                ]
                connection.executemany("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        standing = self.standing(code)
        assert standing is not None
        return standing

    def standing(self, code: str) -> Standing | None:
        """Where a rater is; None = nobody has this code."""
        with self._open() as connection:
            found = connection.execute("SELECT id FROM raters WHERE code = ?", (code,)).fetchone()
            if found is None:
                return None
            joined = "FROM trials LEFT JOIN ratings USING (token) WHERE rater = ?"
            total, done = connection.execute(f"SELECT COUNT(*), COUNT(score) {joined}", found).fetchone()
            order = "AND score IS NULL ORDER BY position LIMIT 1"
            row = connection.execute(f"SELECT {COLUMNS} {joined} {order}", found).fetchone()
            return Standing(None if row is None else Trial(*row), done, total)

    def rate(self, code: str, token: str, score: int, heard: float) -> None:
        """Save an answer; a second one to the same question changes nothing.

        Raises:
            ValueError: the score is not on the scale, or the question is not this rater's.
        """
        if score not in SCALE:
            raise ValueError(f"A score is one of {', '.join(map(str, SCALE))}.")
        with self._change() as connection:
            mine = "SELECT 1 FROM trials JOIN raters ON raters.id = rater WHERE token = ? AND code = ?"
            if connection.execute(mine, (token, code)).fetchone() is None:
                raise ValueError("This question is not one of yours; load the page again.")
            row = (token, score, heard, _now())
            connection.execute("INSERT INTO ratings VALUES (?, ?, ?, ?) ON CONFLICT (token) DO NOTHING", row)

    def trial(self, token: str) -> Trial | None:
        """The question of a token."""
        with self._open() as connection:
            row = connection.execute(f"SELECT {COLUMNS} FROM trials WHERE token = ?", (token,)).fetchone()
        return None if row is None else Trial(*row)

    def ratings(self) -> list[Rating]:
        """Every answer, in the order of raters and their questions."""
        query = f"SELECT rater, score, heard, {COLUMNS} FROM ratings JOIN trials USING (token) ORDER BY rater, position"
        with self._open() as connection:
            rows = connection.execute(query).fetchall()
        return [Rating(rater, Trial(*trial), score, heard) for rater, score, heard, *trial in rows]

    def counts(self) -> tuple[int, int, int]:
        """Raters, questions that were given to them, and answers."""
        with self._open() as connection:
            query = (
                "SELECT (SELECT COUNT(*) FROM raters), (SELECT COUNT(*) FROM trials), (SELECT COUNT(*) FROM ratings)"
            )
            raters, trials, ratings = connection.execute(query).fetchone()
        return raters, trials, ratings


def code_of(text: object) -> str:
    """A rater's code as it is kept. ValueError where it is empty or too long."""
    code = " ".join(str(text or "").split())
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        raise ValueError(f"Give a code of 1 to {LONGEST_CODE} characters, such as your worker ID.")
    return code


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
