-- Who may be shown a slice, where its commune said so: audiences in their order, separated by blanks; none, if nobody.
-- A slice without a row is shown to the coordination alone.
CREATE TABLE slice_audience (
    territory TEXT NOT NULL,
    pack TEXT NOT NULL,
    table_code TEXT NOT NULL,
    period TEXT NOT NULL,
    audiences TEXT NOT NULL,
    submission TEXT NOT NULL REFERENCES submission (id),
    PRIMARY KEY (territory, pack, table_code, period)
) {strict};
CREATE INDEX slice_audience_table ON slice_audience (pack, table_code, period);

-- Groups of communes whose sums were shown to an audience that does not see their members by name: `contributors` are
-- commune=document, separated by blanks. What was shown stays known, so that rows are only ever added.
CREATE TABLE group_shown (
    audience TEXT NOT NULL,
    pack TEXT NOT NULL,
    table_code TEXT NOT NULL,
    period TEXT NOT NULL,
    number {i64} NOT NULL,
    contributors TEXT NOT NULL,
    shown_at {i64} NOT NULL,
    PRIMARY KEY (audience, pack, table_code, period, number)
) {strict};

-- One more kind of document. SQLite has no statement for another CHECK; its manual gives this way, which touches no row.
{postgres} ALTER TABLE submission DROP CONSTRAINT submission_kind;
{postgres} ALTER TABLE submission ADD CONSTRAINT submission_kind CHECK (kind IN ('submission', 'check', 'withdrawal', 'purge', 'sharing'));
{sqlite} PRAGMA writable_schema = ON;
{sqlite} UPDATE sqlite_schema SET sql = replace(sql, '''withdrawal'', ''purge'')', '''withdrawal'', ''purge'', ''sharing'')') WHERE type = 'table' AND name = 'submission';
{sqlite} PRAGMA writable_schema = RESET;
