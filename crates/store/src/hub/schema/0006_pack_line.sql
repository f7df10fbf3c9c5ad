-- Which published versions figures are taken under. Versions themselves are in pack_document and never change; this
-- row moves when one is published. The former version is taken until an instant, which a publication sets once.
CREATE TABLE pack_line (
    code TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    former TEXT,
    former_until {i64},
    changed_at {i64} NOT NULL,
    FOREIGN KEY (code, version) REFERENCES pack_document (code, version),
    FOREIGN KEY (code, former) REFERENCES pack_document (code, version),
    CONSTRAINT pack_line_former CHECK ((former IS NULL) = (former_until IS NULL))
) {strict};
