"""The indicators of benches/compute/pack.rs by hand, once with polars and once with DuckDB.

python compute.py polars|duckdb FILE: reads the census file and prints one JSON object: seconds (reading included, start
of the interpreter not), peak memory in MiB, and for each indicator its finest cells, each with value, contributors and,
for sums, the largest contribution. Margins are not asked for: they follow from the finest cells.
"""

import json
import sys
import time

# Name, then the same condition for polars and for DuckDB.
FILTERS = [
    ("proprietaires", lambda c: c("STOCD") == "10", "STOCD = '10'"),
    ("prives", lambda c: c("STOCD").is_in(["21", "23"]), "STOCD IN ('21', '23')"),
    ("hlm", lambda c: c("STOCD") == "22", "STOCD = '22'"),
    ("gratuits", lambda c: c("STOCD") == "30", "STOCD = '30'"),
    ("seuls", lambda c: c("INPER") == 1, "INPER = 1"),
    ("grands", lambda c: c("INPER") >= 5, "INPER >= 5"),
    ("ages_seuls", lambda c: c("AGEMEN8").is_in(["65", "80"]) & (c("INPER") == 1),
     "AGEMEN8 IN ('65', '80') AND INPER = 1"),
    ("tres_ages", lambda c: c("AGEMEN8") == "80", "AGEMEN8 = '80'"),
    ("jeunes", lambda c: c("AGEMEN8").is_in(["15", "20"]), "AGEMEN8 IN ('15', '20')"),
    ("sans_voiture", lambda c: c("VOIT") == "0", "VOIT = '0'"),
    ("deux_voitures", lambda c: c("VOIT").is_in(["2", "3"]), "VOIT IN ('2', '3')"),
    ("petits", lambda c: c("SURF").is_in(["1", "2"]), "SURF IN ('1', '2')"),
    ("serres", lambda c: ((c("SURF") == "1") & (c("INPER") >= 3)) | ((c("SURF") == "2") & (c("INPER") >= 4)),
     "(SURF = '1' AND INPER >= 3) OR (SURF = '2' AND INPER >= 4)"),
    ("recents", lambda c: c("AEMM") >= 2016, "AEMM >= 2016"),
    ("anciens", lambda c: c("AEMM") < 1990, "AEMM < 1990"),
    ("decennie", lambda c: c("AEMM").is_between(2000, 2010), "AEMM BETWEEN 2000 AND 2010"),
    ("electriques", lambda c: c("CHFL") == "3", "CHFL = '3'"),
    ("ages_a_pied", lambda c: c("AGEMEN8").is_in(["65", "80"]) & (c("VOIT") == "0"),
     "AGEMEN8 IN ('65', '80') AND VOIT = '0'"),
    ("bati_ancien", lambda c: c("ACHL").str.starts_with("A"), "ACHL LIKE 'A%'"),
    ("bati_recent", lambda c: c("ACHL").str.starts_with("C1"), "ACHL LIKE 'C1%'"),
    ("chomage", lambda c: c("TACTM") == "12", "TACTM = '12'"),
    ("retraites_seuls_hlm", lambda c: (c("TACTM") == "21") & (c("INPER") == 1) & (c("STOCD") == "22"),
     "TACTM = '21' AND INPER = 1 AND STOCD = '22'"),
    ("femmes_seules", lambda c: (c("SEXEM") == "2") & (c("INPER") == 1), "SEXEM = '2' AND INPER = 1"),
    ("appartements_anciens", lambda c: (c("TYPL") == "2") & c("ACHL").str.starts_with("B1"),
     "TYPL = '2' AND ACHL LIKE 'B1%'"),
    ("proprietaires_au_large",
     lambda c: (c("STOCD") == "10") & c("SURF").is_in(["6", "7"]) & (c("INPER") <= 2),
     "STOCD = '10' AND SURF IN ('6', '7') AND INPER <= 2"),
]

# Kind of measure, its breakdown.
KINDS = [
    ("lignes", ["TYPL", "AGEMEN8"]),
    ("poids", ["TYPL", "STOCD"]),
    ("poids_age", ["AGEMEN8", "PIECES"]),
    ("personnes", ["STOCD", "AGEMEN8"]),
]

TEXTS = ["CATL", "TYPL", "STOCD", "AGEMEN8", "VOIT", "SURF", "CHFL", "ACHL", "TACTM", "SEXEM"]
BLANKS = ["Y", "YY"]


def with_polars(path):
    import polars as pl

    columns = dict.fromkeys(TEXTS, pl.String) | dict.fromkeys(["INPER", "NBPI", "AEMM"], pl.Int64) | {"IPONDL": pl.Float64}
    nulls = dict.fromkeys(["INPER", "NBPI"], "YY") | {"INPER": "Y"}
    rows = (
        pl.scan_csv(path, separator=";", schema_overrides=columns, null_values=nulls, infer_schema=False)
        .select(*columns)
        .filter(pl.col("CATL") == "1")
        .with_columns(PIECES=pl.min_horizontal(pl.col("NBPI"), 5).cast(pl.String))
        .with_columns(**{name: condition(pl.col) for name, condition, _ in FILTERS})
    )
    groups = []
    for kind, by in KINDS:
        figures = []
        for name, _, _ in FILTERS:
            held = pl.col(name)
            if kind == "lignes":
                figures += [held.sum().alias(f"{name} value")]
            elif kind == "personnes":
                own = pl.col("INPER").filter(held)
                figures += [
                    own.sum().alias(f"{name} value"),
                    (own > 0).sum().alias(f"{name} contributors"),
                    own.max().alias(f"{name} largest"),
                ]
            else:
                own = pl.col("IPONDL").filter(held)
                figures += [own.sum().alias(f"{name} value"), (own > 0).sum().alias(f"{name} contributors")]
        groups.append(rows.group_by(by).agg(figures))
    return [frame.to_dicts() for frame in pl.collect_all(groups, engine=sys.argv[3] if len(sys.argv) > 3 else "auto")]


def with_duckdb(path):
    import duckdb

    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in TEXTS + ["INPER", "NBPI"])
    connection = duckdb.connect()
    connection.execute(
        f"""CREATE TEMP TABLE rows AS
        SELECT {", ".join(TEXTS)}, try_cast(INPER AS BIGINT) INPER, CAST(AEMM AS BIGINT) AEMM, IPONDL,
               CAST(least(try_cast(NBPI AS BIGINT), 5) AS VARCHAR) PIECES
        FROM read_csv('{path}', delim=';', header=true, all_varchar=false, auto_detect=true,
                      types={{{texts}, 'IPONDL': 'DOUBLE'}})
        WHERE CATL = '1'"""
    )
    groups = []
    for kind, by in KINDS:
        figures = []
        for name, _, held in FILTERS:
            if kind == "lignes":
                figures += [f'count(*) FILTER ({held}) AS "{name} value"']
            elif kind == "personnes":
                figures += [
                    f'sum(INPER) FILTER ({held}) AS "{name} value"',
                    f'count(*) FILTER (({held}) AND INPER > 0) AS "{name} contributors"',
                    f'max(INPER) FILTER ({held}) AS "{name} largest"',
                ]
            else:
                figures += [
                    f'sum(IPONDL) FILTER ({held}) AS "{name} value"',
                    f'count(*) FILTER (({held}) AND IPONDL > 0) AS "{name} contributors"',
                ]
        query = connection.execute(f"SELECT {', '.join(by)}, {', '.join(figures)} FROM rows GROUP BY {', '.join(by)}")
        names = [column[0] for column in query.description]
        groups.append([dict(zip(names, row)) for row in query.fetchall()])
    return groups


def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))


def main():
    engine, path = sys.argv[1:3]
    read = {"polars": with_polars, "duckdb": with_duckdb}[engine]
    __import__(engine)
    begin, cpu = time.perf_counter(), time.process_time()
    groups = read(path)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    memory = peak()
    cells = {}
    for (kind, by), rows in zip(KINDS, groups):
        for row in rows:
            at = ",".join(str(row[column]) for column in by)
            for name, _, _ in FILTERS:
                value = row[f"{name} value"] or 0
                contributors = row.get(f"{name} contributors", value) or 0
                largest = row.get(f"{name} largest") or 0
                cells[f"{name}_{kind}|{at}"] = [value, contributors, largest]
    json.dump({"seconds": seconds, "cpu": cpu, "peak": memory, "cells": cells}, sys.stdout)


main()
