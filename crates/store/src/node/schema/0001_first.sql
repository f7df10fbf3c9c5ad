-- What one commune sent, or is about to send. Only protected figures: exact ones never reach a database.

CREATE TABLE identity (
    id {i64} PRIMARY KEY,
    provider TEXT NOT NULL,
    hub_address TEXT NOT NULL,
    ca_fingerprint TEXT NOT NULL,
    joined_at {i64} NOT NULL,
    CONSTRAINT identity_single CHECK (id = 1)
) {strict};

-- Territories whose slices the node may replace, the provider's own first.
CREATE TABLE identity_territory (
    position {i64} PRIMARY KEY,
    territory TEXT NOT NULL UNIQUE
) {strict};

-- Ed25519 keys with which the hub signs, newest first.
CREATE TABLE hub_key (
    position {i64} PRIMARY KEY,
    public_key {bytes} NOT NULL
) {strict};

-- Every document that this commune signed, as signed. `document` is null once purged.
CREATE TABLE document (
    submission TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    document {bytes},
    signature {bytes} NOT NULL,
    signing_key {bytes} NOT NULL,
    receipt {bytes},
    receipt_signature {bytes},
    receipt_key TEXT,
    CONSTRAINT document_kind CHECK (kind IN ('submission', 'check', 'withdrawal', 'purge')),
    CONSTRAINT document_receipt CHECK ((receipt IS NULL) = (receipt_signature IS NULL)
                                   AND (receipt IS NULL) = (receipt_key IS NULL))
) {strict};

-- Territories a document speaks of: it belongs to their ledgers before the hub gave it a place there.
CREATE TABLE document_territory (
    submission TEXT NOT NULL REFERENCES document (submission),
    territory TEXT NOT NULL,
    PRIMARY KEY (territory, submission)
) {strict};

CREATE TABLE outbox (
    position {i64} PRIMARY KEY,
    submission TEXT NOT NULL UNIQUE REFERENCES document (submission),
    state TEXT NOT NULL,
    attempts {i64} NOT NULL,
    queued_at {i64} NOT NULL,
    next_attempt_at {i64} NOT NULL,
    settled_at {i64},
    error_reason TEXT,
    error_message TEXT,
    CONSTRAINT outbox_state CHECK (state IN ('pending', 'sent', 'refused'))
) {strict};

-- Places the hub gave, each with the receipt before it.
CREATE TABLE ledger_link (
    territory TEXT NOT NULL,
    sequence {i64} NOT NULL,
    submission TEXT NOT NULL REFERENCES document (submission),
    receipt_hash TEXT NOT NULL,
    previous_receipt TEXT,
    PRIMARY KEY (territory, sequence),
    UNIQUE (territory, submission),
    CONSTRAINT ledger_link_sequence CHECK (sequence >= 1)
) {strict};

-- How far each ledger is known without a gap. No row: never compared with the hub.
CREATE TABLE ledger_head (
    territory TEXT PRIMARY KEY,
    sequence {i64} NOT NULL,
    receipt_hash TEXT,
    CONSTRAINT ledger_head_receipt CHECK ((sequence = 0) = (receipt_hash IS NULL))
) {strict};

-- What a person reads before agreeing. `document` holds protected slices only.
CREATE TABLE preview (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    document {bytes} NOT NULL,
    created_at {i64} NOT NULL,
    approved_by TEXT,
    approved_at {i64},
    queued_as TEXT REFERENCES document (submission),
    CONSTRAINT preview_kind CHECK (kind IN ('submission', 'check', 'withdrawal')),
    CONSTRAINT preview_approval CHECK ((approved_by IS NULL) = (approved_at IS NULL))
) {strict};
