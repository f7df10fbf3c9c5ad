-- What communes sent, as the bytes they signed, beside what is needed to find them.

-- The authority this database belongs to: started with another one, the hub would answer nodes that it cannot know.
CREATE TABLE authority (
    id {i64} PRIMARY KEY,
    ca_fingerprint TEXT NOT NULL,
    created_at {i64} NOT NULL,
    CONSTRAINT authority_single CHECK (id = 1)
) {strict};

-- Public halves of the keys with which receipts and packs were ever signed: a receipt of 2027 verifies in 2033.
CREATE TABLE hub_key (
    key_id TEXT PRIMARY KEY,
    public_key {bytes} NOT NULL,
    since {i64} NOT NULL
) {strict};

-- Only the hash of the token: whoever reads this table can join nothing.
CREATE TABLE invitation (
    token_hash TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    created_at {i64} NOT NULL,
    expires_at {i64} NOT NULL,
    spent_at {i64},
    revoked_at {i64},
    CONSTRAINT invitation_once CHECK (spent_at IS NULL OR revoked_at IS NULL)
) {strict};

CREATE TABLE provider_node (
    key_fingerprint TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    signing_key {bytes} NOT NULL,
    enrolled_at {i64} NOT NULL,
    revoked_at {i64},
    certificate_serial TEXT NOT NULL,
    certificate_not_after {i64} NOT NULL,
    last_contact {i64}
) {strict};

-- A commune has one living node at most.
CREATE UNIQUE INDEX provider_node_active ON provider_node (provider) WHERE revoked_at IS NULL;

-- People who compare. A certificate of a name or key that is not here, or revoked, opens nothing.
CREATE TABLE coordinator (
    key_fingerprint TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    added_at {i64} NOT NULL,
    revoked_at {i64}
) {strict};

-- Territories whose slices a provider may replace. Succession of communes is added by the hub, not stored.
CREATE TABLE provider_territory (
    provider TEXT NOT NULL,
    territory TEXT NOT NULL,
    PRIMARY KEY (provider, territory)
) {strict};

-- The hub's acceptance number. One row: taking it orders all acceptances, on both databases.
CREATE TABLE counter (
    id {i64} PRIMARY KEY,
    number {i64} NOT NULL,
    CONSTRAINT counter_single CHECK (id = 1)
) {strict};
INSERT INTO counter (id, number) VALUES (1, 0);

-- Documents and receipts as signed, never re-encoded. `document` is null once purged.
CREATE TABLE submission (
    id TEXT PRIMARY KEY,
    number {i64} NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    document_hash TEXT NOT NULL,
    document {bytes},
    document_length {i64} NOT NULL,
    signature {bytes} NOT NULL,
    signing_key {bytes} NOT NULL,
    receipt {bytes} NOT NULL,
    receipt_hash TEXT NOT NULL,
    receipt_signature {bytes} NOT NULL,
    receipt_key TEXT NOT NULL,
    accepted_at {i64} NOT NULL,
    CONSTRAINT submission_kind CHECK (kind IN ('submission', 'check', 'withdrawal', 'purge'))
) {strict};

-- The chain of receipts of each territory, without a gap.
CREATE TABLE ledger_link (
    territory TEXT NOT NULL,
    sequence {i64} NOT NULL,
    submission TEXT NOT NULL REFERENCES submission (id),
    PRIMARY KEY (territory, sequence),
    UNIQUE (submission, territory),
    CONSTRAINT ledger_link_sequence CHECK (sequence >= 1)
) {strict};

CREATE TABLE slice_current (
    territory TEXT NOT NULL,
    pack TEXT NOT NULL,
    table_code TEXT NOT NULL,
    period TEXT NOT NULL,
    submission TEXT NOT NULL REFERENCES submission (id),
    state TEXT NOT NULL,
    version {i64} NOT NULL,
    PRIMARY KEY (territory, pack, table_code, period),
    CONSTRAINT slice_current_state CHECK (state IN ('present', 'withdrawn', 'purged'))
) {strict};
CREATE INDEX slice_current_table ON slice_current (pack, table_code, period);
CREATE INDEX slice_current_submission ON slice_current (submission);

CREATE TABLE slice_history (
    territory TEXT NOT NULL,
    pack TEXT NOT NULL,
    table_code TEXT NOT NULL,
    period TEXT NOT NULL,
    version {i64} NOT NULL,
    submission TEXT NOT NULL REFERENCES submission (id),
    state TEXT NOT NULL,
    changed_at {i64} NOT NULL,
    PRIMARY KEY (territory, pack, table_code, period, version),
    CONSTRAINT slice_history_state CHECK (state IN ('present', 'withdrawn', 'purged'))
) {strict};

-- Destruction of bytes after a breach. Two different persons; hash, date and reason stay.
CREATE TABLE purge (
    id TEXT PRIMARY KEY,
    submission TEXT NOT NULL REFERENCES submission (id),
    document_hash TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at {i64} NOT NULL,
    confirmed_by TEXT,
    confirmed_at {i64},
    CONSTRAINT purge_two_persons CHECK (confirmed_by IS NULL OR confirmed_by <> proposed_by),
    CONSTRAINT purge_confirmation CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
) {strict};

CREATE TABLE pack_document (
    code TEXT NOT NULL,
    version TEXT NOT NULL,
    hash TEXT NOT NULL,
    document {bytes} NOT NULL,
    signature {bytes} NOT NULL,
    signing_key TEXT NOT NULL,
    added_at {i64} NOT NULL,
    PRIMARY KEY (code, version)
) {strict};
