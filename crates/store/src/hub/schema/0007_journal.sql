-- Who did what, when: lines that nobody changes, each bound to the one before by its hash.
CREATE TABLE journal (
    number {i64} PRIMARY KEY,
    noted_at {i64} NOT NULL,
    line TEXT NOT NULL,
    hash TEXT NOT NULL
) {strict};

-- The last of them. One row: taking it orders all lines, on both databases.
CREATE TABLE journal_head (
    id {i64} PRIMARY KEY,
    number {i64} NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT journal_head_single CHECK (id = 1)
) {strict};

INSERT INTO journal_head (id, number, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Lines know persons by number. A name is erased on its own, and the chain still verifies.
CREATE TABLE journal_person (
    number {i64} PRIMARY KEY,
    name TEXT,
    last_at {i64} NOT NULL
) {strict};

CREATE UNIQUE INDEX journal_person_name ON journal_person (name);
