-- What an operator did to the whole: readiness and metrics tell how old the newest copy is, on every replica.
CREATE TABLE backup_taken (
    taken_at {i64} PRIMARY KEY,
    -- The acceptance number that the copy holds.
    number {i64} NOT NULL,
    -- Length of the archive in bytes.
    length {i64} NOT NULL
) {strict};

-- This database began again from a copy: numbers between the two may stand on receipts that only nodes still hold.
CREATE TABLE restoration (
    restored_at {i64} PRIMARY KEY,
    backup_at {i64} NOT NULL,
    backup_number {i64} NOT NULL,
    next_number {i64} NOT NULL
) {strict};
