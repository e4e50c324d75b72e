#!/usr/bin/env python3
"""journal_check.py DATABASE LINES: what was delivered, without its repeats, is what was journalled,
in its order; and whatever was raised is accounted for."""
import json
import sqlite3
import sys

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
journalled = [row[0] for row in database.execute("SELECT id FROM alerts ORDER BY seq")]
lost = 0
for (line,) in database.execute("SELECT json FROM alerts WHERE rule = 'picket.alerts_lost'"):
    detail = json.loads(line)["detail"]
    if detail["reason"] in ("killed", "overrun"):
        lost += detail["count"]
for (line,) in database.execute("SELECT json FROM alerts WHERE rule = 'picket.journal_recovered'"):
    lost += json.loads(line)["detail"]["count"]

delivered = {}  # in the order of their first time
broken = 0
with open(sys.argv[2], encoding="utf-8") as lines:
    for line in lines:
        try:
            delivered.setdefault(json.loads(line)["id"])
        except ValueError:
            broken += 1  # cut off by a kill: it comes again
delivered = list(delivered)

accounted, last = database.execute("SELECT accounted, last FROM state").fetchone()
pending = database.execute("SELECT pending FROM outputs").fetchone()[0]
print(f"{len(journalled)} journalled, {len(delivered)} delivered, {lost} lost, {broken} broken lines")
problems = []
if set(journalled) - set(delivered):
    problems.append("not all that is journalled was delivered")
known = set(journalled)
if [id for id in delivered if id in known] != list(dict.fromkeys(journalled)):
    problems.append("the order is another")
if len(journalled) + lost != accounted:
    problems.append(f"{len(journalled)} journalled and {lost} lost are not {accounted}")
if pending:
    problems.append(f"{pending} are pending")
if not journalled:
    problems.append("nothing was journalled")
for problem in problems:
    print("FAILED:", problem)
sys.exit(bool(problems))
