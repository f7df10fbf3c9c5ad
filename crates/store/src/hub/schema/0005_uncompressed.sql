-- Acceptances queue behind each other while a document is written, and PostgreSQL spends most of that time on
-- compressing it. SQLite never compresses: there this step does nothing.
{postgres} ALTER TABLE submission ALTER COLUMN document SET STORAGE EXTERNAL;
