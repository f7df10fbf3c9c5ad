-- The latest version of each pack that was ever taken into use here: an earlier one is not, whatever became of the file.
CREATE TABLE pack_seen (
    code TEXT PRIMARY KEY,
    version TEXT NOT NULL
) {strict};
