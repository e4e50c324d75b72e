/* One process as the table keeps it: its fields, and the block of memory their texts live in.
 *
 * A forked child runs its parent's image until it execs, so it shares the parent's block; what
 * then changes in one of them gets a block of its own. */
#ifndef PICKET_PROCESS_PROCESS_ENTRY_H
#define PICKET_PROCESS_PROCESS_ENTRY_H

#include <sys/queue.h>

#include "event/record.h"

/* How much is kept of argv, of cmdline and of env once their event is over. What is cut is flagged
 * (cmdline_truncated, env_truncated); the lengths and argc go on telling the whole. */
#define ENTRY_TEXT_MAX 4096

struct texts; /* a shared block */

struct process_entry {
    struct process process; /* .parent is kept by process_entry_adopt() and _orphan() */
    struct identity self;
    struct texts *texts;
    size_t *footprint;
    struct process_entry *parent;
    LIST_HEAD(, process_entry) children;
    LIST_ENTRY(process_entry) sibling;
    LIST_ENTRY(process_entry) same_bucket;
    TAILQ_ENTRY(process_entry) queued;
    bool exact;         /* self.start is the kernel's own, not the beginning of its tick */
    bool parent_forked; /* the parent is known from the fork, not by who it was later */
    bool parent_sought; /* there is no use in looking for one again */
    bool exited;
    bool exit_reported;
    bool hash_sought; /* there is no use in asking for its executable's hash again */
    bool filtered;    /* the program that it runs is one that the user's filters leave out */
    bool is_queued;
    unsigned generation; /* at most so many ancestors stand above it that it was linked under */
};

/* A free-standing entry without any field. NULL when out of memory. All that it and its texts
 * take is added to *FOOTPRINT, in bytes, and taken off again when it is given back; entries that
 * share texts have the same FOOTPRINT. */
struct process_entry *process_entry_new(struct identity self, size_t *footprint);
void process_entry_free(struct process_entry *entry); /* it has no children and no parent */

/* Links and unlinks parent and child. */
void process_entry_adopt(struct process_entry *parent, struct process_entry *child);
void process_entry_orphan(struct process_entry *child);

/* Makes a new entry run its parent's image, as fork does; pid and start_time stay its own, and
 * what its own namespace calls it is not known. */
void process_entry_inherit(struct process_entry *entry, const struct process_entry *parent);

/* Makes FIELDS the entry's, with copies of its texts, cut where they are too long. FIELDS may
 * borrow from the entry itself, and is then as the entry has it. 0, or -ENOMEM and the entry is as
 * it was. */
int process_entry_set(struct process_entry *entry, struct process *fields);

#endif
