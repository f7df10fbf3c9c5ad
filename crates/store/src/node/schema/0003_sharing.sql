-- One more kind of document. SQLite has no statement for another CHECK; its manual gives this way, which touches no row.
{postgres} ALTER TABLE document DROP CONSTRAINT document_kind;
{postgres} ALTER TABLE document ADD CONSTRAINT document_kind CHECK (kind IN ('submission', 'check', 'withdrawal', 'purge', 'sharing'));
{postgres} ALTER TABLE preview DROP CONSTRAINT preview_kind;
{postgres} ALTER TABLE preview ADD CONSTRAINT preview_kind CHECK (kind IN ('submission', 'check', 'withdrawal', 'sharing'));
{sqlite} PRAGMA writable_schema = ON;
{sqlite} UPDATE sqlite_schema SET sql = replace(sql, '''withdrawal'', ''purge'')', '''withdrawal'', ''purge'', ''sharing'')') WHERE type = 'table' AND name = 'document';
{sqlite} UPDATE sqlite_schema SET sql = replace(sql, '''withdrawal'')', '''withdrawal'', ''sharing'')') WHERE type = 'table' AND name = 'preview';
{sqlite} PRAGMA writable_schema = RESET;
