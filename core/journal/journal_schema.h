/* The journal's database as its readers know it: SQLite 3, WAL, version 1 of the schema.
 *
 * alerts        every alert, in the order they were raised (`seq`, which may have gaps). `id` is
 *               the alert's: its first ten characters are the time (alert/alert_id.h), so an index
 *               of ids is one of times, too. `time` is in ns since 1970, `severity` an enum
 * severity (0 informational to 4 critical), `json` the whole alert as docs/events.md has it, as a
 * text, or packed (packing.h) with `template`. `route` has the bits of the outputs it went to. An
 * id can be there twice. templates     what alerts are packed with. `number` is the `seq` of the
 * first that is. outputs       each output that was ever configured and is not forgotten. `cursor`:
 * everything up to this seq is settled; `pending`: how many behind it are not; `expired`: how many
 *               retention took before the output had them; `seen`: when it was last configured.
 * dead_letters  what outputs rejected. The alert is in `alerts` by `seq` as long as this is here.
 * state         one row. `accounted`: alerts that were journalled, or told of as lost; `open`: 1
 *               while an engine has it.
 *
 * A reader opens the file read-only, sets a busy timeout and keeps no transaction open: the
 * write-ahead log grows as long as one is. */
#ifndef PICKET_JOURNAL_JOURNAL_SCHEMA_H
#define PICKET_JOURNAL_JOURNAL_SCHEMA_H

#define JOURNAL_PATH           "/var/lib/picket/alerts.db"
#define JOURNAL_APPLICATION    0x50696b74 /* PRAGMA application_id: "Pikt" */
#define JOURNAL_SCHEMA_VERSION 1          /* PRAGMA user_version */

/* clang-format off */
#define JOURNAL_SCHEMA                                                                      \
    "CREATE TABLE alerts(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"                   \
    " severity INTEGER NOT NULL, route INTEGER NOT NULL, id TEXT NOT NULL,"                 \
    " host TEXT NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL,"  \
    " json TEXT NOT NULL, template INTEGER);"                                               \
    "CREATE TABLE templates(number INTEGER PRIMARY KEY, json TEXT NOT NULL);"               \
    "CREATE INDEX alerts_by_id ON alerts(id);"                                              \
    "CREATE TABLE outputs(bit INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"              \
    " cursor INTEGER NOT NULL, pending INTEGER NOT NULL, expired INTEGER NOT NULL,"         \
    " seen INTEGER NOT NULL);"                                                              \
    "CREATE TABLE dead_letters(number INTEGER PRIMARY KEY, output TEXT NOT NULL,"           \
    " seq INTEGER NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, reason TEXT NOT NULL);" \
    "CREATE INDEX dead_letters_by_seq ON dead_letters(seq);"                                \
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), journal INTEGER NOT NULL,"  \
    " last INTEGER NOT NULL, accounted INTEGER NOT NULL, open INTEGER NOT NULL);"
/* clang-format on */

#endif
