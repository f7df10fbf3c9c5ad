-- What the hub refused, so that a coordinator sees who is stuck and why: reason, codes and the French sentence that the
-- commune was told; never the document, never a figure, never the place of a cell. The same document refused again for the
-- same reason is one row; the newest rows of each provider are kept.
CREATE TABLE refusal (
    provider TEXT NOT NULL,
    document_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- Codes of conflicts and slices named, one a line.
    codes TEXT NOT NULL,
    slices TEXT NOT NULL,
    message TEXT NOT NULL,
    first_refused_at {i64} NOT NULL,
    refused_at {i64} NOT NULL,
    times {i64} NOT NULL,
    -- The hub's acceptance number when it was refused: what has a higher one came later, whatever the clocks said.
    after_number {i64} NOT NULL,
    PRIMARY KEY (provider, document_hash, kind, reason),
    CONSTRAINT refusal_kind CHECK (kind IN ('submission', 'check', 'withdrawal'))
) {strict};
