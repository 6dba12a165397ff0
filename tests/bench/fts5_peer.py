#!/usr/bin/env python3
"""SQLite FTS5 on BEIR folders, for the table of peers in docs/benchmarks.md.

    tests/bench/fts5_peer.py DIR...

One row a document with title and text, tokenizer 'porter unicode61', bm25() as it comes; a question is
its words joined by OR, since FTS5's own AND finds next to nothing for whole sentences. Python's
standard library only.
"""
import json
import math
import pathlib
import re
import sqlite3
import sys
import time


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_grades(path):
    grades = {}
    for line in open(path, encoding="utf-8"):
        query, document, grade = line.rstrip("\n").split("\t")
        if grade.lstrip("-").isdigit():
            grades.setdefault(query, {})[document] = max(0, int(grade))
    return {query: found for query, found in grades.items() if any(found.values())}


def ndcg(ranking, grades, depth=10):
    gain = sum(grades.get(name, 0) / math.log2(i + 2) for i, name in enumerate(ranking[:depth]))
    best = sorted(grades.values(), reverse=True)[:depth]
    return gain / sum(grade / math.log2(i + 2) for i, grade in enumerate(best))


def measure(folder):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE d USING fts5(id UNINDEXED, title, text, tokenize='porter unicode61')")
    database.executemany(
        "INSERT INTO d VALUES(?, ?, ?)",
        [(r["_id"], r.get("title", ""), r["text"]) for r in lines(folder / "corpus.jsonl")],
    )
    grades = read_grades(folder / "qrels" / "test.tsv")
    scores, recalls, ranks, times = [], [], [], []
    for query in lines(folder / "queries.jsonl"):
        wanted = grades.get(query["_id"])
        if not wanted:
            continue
        words = re.findall(r"\w+", query["text"])
        match = " OR ".join('"%s"' % word for word in words)
        begin = time.perf_counter()
        rows = database.execute("SELECT id FROM d WHERE d MATCH ? ORDER BY rank LIMIT 100", (match,)).fetchall()
        times.append(1000 * (time.perf_counter() - begin))
        ranking = [row[0] for row in rows]
        relevant = {name for name, grade in wanted.items() if grade > 0}
        scores.append(ndcg(ranking, wanted))
        recalls.append(len(relevant.intersection(ranking)) / len(relevant))
        ranks.append(next((1 / (i + 1) for i, name in enumerate(ranking) if name in relevant), 0))
    times.sort()
    print("%-14s nDCG@10 %.4f  recall@100 %.4f  MRR %.4f  p50 %.1f ms  (%d queries)" % (
        folder.name, *(sum(x) / len(x) for x in (scores, recalls, ranks)), times[len(times) // 2], len(scores)))
    return sum(scores) / len(scores)


if len(sys.argv) < 2:
    sys.exit(__doc__)
print("SQLite", sqlite3.sqlite_version)
means = [measure(pathlib.Path(argument).resolve()) for argument in sys.argv[1:]]
print("mean nDCG@10 %.4f" % (sum(means) / len(means)))
