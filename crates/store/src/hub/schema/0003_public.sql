-- Figures that their producers published, for all communes at once. Nothing here comes from a node.

-- The layouts files were read with, byte for byte: titles, units, licences of old figures stay readable when a layout changes.
CREATE TABLE public_layout (
    hash TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    document {bytes} NOT NULL
) {strict};

-- The journal of imports that changed something. Numbers are without a gap.
CREATE TABLE public_import (
    id {i64} PRIMARY KEY,
    layout TEXT NOT NULL REFERENCES public_layout (hash),
    source TEXT NOT NULL,
    vintage TEXT NOT NULL,
    level TEXT NOT NULL,
    file_name TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    file_length {i64} NOT NULL,
    imported_by TEXT NOT NULL,
    imported_at {i64} NOT NULL,
    added {i64} NOT NULL,
    revised {i64} NOT NULL,
    CONSTRAINT public_import_counts CHECK (added >= 0 AND revised >= 0)
) {strict};

-- Figures of one source, indicator, year, geography and level, for one département (part; empty above): one row of bytes
-- instead of one row per figure. A change is a new version; older ones stay. The source is in the key: no source ever
-- replaces another's figure.
CREATE TABLE public_block (
    indicator TEXT NOT NULL,
    source TEXT NOT NULL,
    period TEXT NOT NULL,
    geography {i64} NOT NULL,
    level TEXT NOT NULL,
    part TEXT NOT NULL,
    version {i64} NOT NULL,
    import {i64} NOT NULL REFERENCES public_import (id),
    block {bytes} NOT NULL,
    PRIMARY KEY (indicator, source, period, geography, level, part, version)
) {strict};
