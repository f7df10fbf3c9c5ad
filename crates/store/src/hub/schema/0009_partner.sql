-- Partners: keys that read what communes share with partners, for a stated purpose, until a stated day.
CREATE TABLE partner (
    key_fingerprint TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    added_at {i64} NOT NULL,
    ends_at {i64} NOT NULL,
    revoked_at {i64}
) {strict};
