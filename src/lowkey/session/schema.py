"""The tables of `session.db`, as numbered migrations: a session of any earlier version is brought up to this one when opened.

A migration that has shipped is never edited; the next one is added below it.
"""

from __future__ import annotations

APPLICATION_ID = 0x4C4B5359
"""``LKSY``: says that a SQLite file is a session (``PRAGMA application_id``)."""

MIGRATIONS = (
    # 1: a session, its setups (a look, a size, an engine), their frames, every take of each, and the jobs of engines.
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE setups (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, page TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'shooting',
        sheet TEXT, warnings TEXT NOT NULL DEFAULT '[]'
    );
    CREATE TABLE frames (
        id INTEGER PRIMARY KEY, setup INTEGER NOT NULL REFERENCES setups(id), seed INTEGER NOT NULL, shot TEXT NOT NULL,
        file TEXT NOT NULL UNIQUE, sha256 TEXT, page TEXT, owner TEXT, beat INTEGER NOT NULL DEFAULT 0, problem TEXT,
        stars INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
        UNIQUE (setup, seed)
    );
    CREATE TABLE takes (
        frame INTEGER NOT NULL REFERENCES frames(id), number INTEGER NOT NULL, shot TEXT NOT NULL, file TEXT NOT NULL,
        sha256 TEXT NOT NULL, page TEXT NOT NULL, PRIMARY KEY (frame, shot)
    ) WITHOUT ROWID;
    CREATE TABLE files (file TEXT PRIMARY KEY, kind TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, scope TEXT NOT NULL, shot TEXT NOT NULL, engine TEXT NOT NULL, state TEXT NOT NULL,
        remote TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '', estimate TEXT NOT NULL, cost TEXT,
        detail TEXT NOT NULL DEFAULT '{}', why TEXT NOT NULL DEFAULT '', kept INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX jobs_of_shots ON jobs (shot, engine);
    """,
    # 2: what left the folder, so that it can be found again when a person is to be forgotten.
    """
    CREATE TABLE exports (path TEXT PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
    """,
)
VERSION = len(MIGRATIONS)
