#include "process/process_table.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "process/id_names.h"
#include "process/proc_scan.h"
#include "process/process_entry.h"
#include "process/process_event.h"
#include "process/process_fields.h"

/* How often, in the records' time, the wall clock is looked at; and what it has to be off for its
 * new setting to count: within, events keep the order and the distance of their boot times. */
#define OFFSET_CHECK_NS     NS_PER_S
#define OFFSET_TOLERANCE_NS NS_PER_MS

LIST_HEAD(bucket, process_entry);
TAILQ_HEAD(queue, process_entry);

/* Which field names which number, and from which file. */
static const struct {
    enum field_id id, name;
    enum { FILE_USERS, FILE_GROUPS, FILES } file;
} names[] = {
    {FIELD_UID, FIELD_USER, FILE_USERS},           {FIELD_EUID, FIELD_EUSER, FILE_USERS},
    {FIELD_LOGINUID, FIELD_LOGINUSER, FILE_USERS}, {FIELD_EXE_UID, FIELD_EXE_OWNER, FILE_USERS},
    {FIELD_GID, FIELD_GROUP, FILE_GROUPS},
};

struct process_table {
    struct process_table_options limits;
    struct bucket *buckets;
    size_t bucket_mask;
    uint64_t seed[2];
    /* Entries that are nobody's parent, next to go first: exited ones by when they exited or lost
     * their last child, live ones by when they were last heard of. A parent is in neither. */
    struct queue exited_leaves, live_leaves;
    size_t exited_leaf_count;
    size_t footprint;
    struct proc_scan proc;
    struct id_names *files[FILES];
    int64_t offset, offset_checked;
    struct process_table_counters counters;
    struct exe_hash *hash; /* NULL: not asked for */
    char hex[EXE_HASH_LEN];
    struct process shown; /* the last event's process */
};

static size_t set_or(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static int init(struct process_table *table, const struct process_table_options *options)
{
    struct process_table_options *limits = &table->limits;
    size_t buckets = 64;

    *limits = options ? *options : (struct process_table_options){0};
    limits->entries_max = set_or(limits->entries_max, PROCESS_TABLE_ENTRIES_MAX);
    limits->bytes_max = set_or(limits->bytes_max, PROCESS_TABLE_BYTES_MAX);
    limits->exited_max = set_or(limits->exited_max, PROCESS_TABLE_EXITED_MAX);
    while (buckets < limits->entries_max)
        buckets *= 2;
    TAILQ_INIT(&table->exited_leaves);
    TAILQ_INIT(&table->live_leaves);
    table->proc.proc = table->proc.cgroup = -1;
    table->buckets = calloc(buckets, sizeof *table->buckets);
    if (!table->buckets)
        return -ENOMEM;
    table->bucket_mask = buckets - 1;
    if (getrandom(table->seed, sizeof table->seed, 0) != sizeof table->seed)
        return -EIO;
    table->offset = clock_boot_offset();
    table->offset_checked = clock_boottime();
    int r =
        id_names_new(limits->passwd ? limits->passwd : "/etc/passwd", &table->files[FILE_USERS]);

    if (r == 0)
        r = id_names_new(limits->group ? limits->group : "/etc/group", &table->files[FILE_GROUPS]);
    if (r == 0)
        r = proc_scan_init(&table->proc, limits->proc ? limits->proc : "/proc");
    table->proc.environment = limits->environment;
    table->proc.environment_count = limits->environment_count;
    return r;
}

int process_table_new(const struct process_table_options *options, struct process_table **out)
{
    CLEANUP(process_table_freep) struct process_table *table = calloc(1, sizeof *table);
    int r = table ? init(table, options) : -ENOMEM;

    if (r < 0)
        return r;
    *out = table;
    table = NULL;
    return 0;
}

/* The process began in the tick that its start is in, whether that is the tick's beginning or the
 * exact time: so both meet in one bucket. Multiplication of 64 by 64 bits with secret seeds: those
 * who choose pids cannot choose buckets. */
static struct bucket *bucket_of(const struct process_table *table, struct identity self)
{
    uint64_t pid = (uint64_t)self.pid ^ table->seed[0];
    uint64_t tick = (uint64_t)(self.start / PROC_TICK_NS) ^ table->seed[1];
    __extension__ unsigned __int128 product = (unsigned __int128)pid * tick;

    return &table->buckets[((uint64_t)product ^ (uint64_t)(product >> 64)) & table->bucket_mask];
}

static void set_start(const struct process_table *table, struct process_entry *entry)
{
    entry->process.start_time = entry->self.start + table->offset;
    field_set_add(&entry->process.has, FIELD_START_TIME);
}

/* See the header on ticks. An entry of a mere tick can be mistaken for another process only if the
 * machine's whole range of pids went by in 10 ms. */
static struct process_entry *find_entry(const struct process_table *table, struct identity self,
                                        bool exact)
{
    struct process_entry *entry;

    LIST_FOREACH(entry, bucket_of(table, self), same_bucket)
    {
        if (entry->self.pid != self.pid)
            continue;
        if (entry->exact && exact ? entry->self.start == self.start
                                  : entry->self.start / PROC_TICK_NS == self.start / PROC_TICK_NS)
            break;
    }
    if (entry && exact && !entry->exact) {
        entry->self.start = self.start;
        entry->exact = true;
        set_start(table, entry);
    }
    return entry;
}

static void queue_leave(struct process_table *table, struct process_entry *entry)
{
    if (!entry->is_queued)
        return;
    TAILQ_REMOVE(entry->exited ? &table->exited_leaves : &table->live_leaves, entry, queued);
    table->exited_leaf_count -= entry->exited;
    entry->is_queued = false;
}

/* To the end of its queue, if it is nobody's parent. */
static void queue_join(struct process_table *table, struct process_entry *entry)
{
    queue_leave(table, entry);
    if (!LIST_EMPTY(&entry->children))
        return;
    TAILQ_INSERT_TAIL(entry->exited ? &table->exited_leaves : &table->live_leaves, entry, queued);
    table->exited_leaf_count += entry->exited;
    entry->is_queued = true;
}

/* An exited parent was kept for its children alone: it goes next. */
static void queue_join_childless(struct process_table *table, struct process_entry *entry)
{
    if (!entry->exited) {
        queue_join(table, entry);
        return;
    }
    TAILQ_INSERT_HEAD(&table->exited_leaves, entry, queued);
    table->exited_leaf_count++;
    entry->is_queued = true;
}

static void unlink_parent(struct process_table *table, struct process_entry *child)
{
    struct process_entry *parent = child->parent;

    if (!parent)
        return;
    process_entry_orphan(child);
    if (LIST_EMPTY(&parent->children))
        queue_join_childless(table, parent);
}

static void remove_entry(struct process_table *table, struct process_entry *entry)
{
    queue_leave(table, entry);
    unlink_parent(table, entry);
    LIST_REMOVE(entry, same_bucket);
    if (entry->exited) {
        table->counters.exited--;
        table->counters.retired++;
    } else {
        table->counters.live--;
        table->counters.evicted++;
    }
    process_entry_free(entry);
}

/* Ancestors beyond ANCESTOR_MAX are seen by nobody: a daemon that goes on by forking itself must
 * not fill the table with those it was. Looked at once in ANCESTOR_MAX generations. */
static void shorten_line(struct process_table *table, struct process_entry *entry)
{
    unsigned generation = ANCESTOR_MAX;

    if (entry->generation < 2 * ANCESTOR_MAX)
        return;
    for (; entry->parent && generation > 0; entry = entry->parent)
        entry->generation = generation--;
    entry->generation = generation;
    if (!entry->exited)
        return;
    struct process_entry *above = entry->parent;

    unlink_parent(table, entry);
    while (above && above->exited && LIST_EMPTY(&above->children)) {
        struct process_entry *next = above->parent;

        remove_entry(table, above);
        above = next;
    }
}

static bool descends_from(const struct process_entry *entry, const struct process_entry *ancestor)
{
    while (entry && entry != ancestor)
        entry = entry->parent;
    return entry != NULL;
}

static void link_parent(struct process_table *table, struct process_entry *child,
                        struct process_entry *parent)
{
    if (child->parent == parent || child == parent ||
        (!LIST_EMPTY(&child->children) && descends_from(parent, child)))
        return;
    unlink_parent(table, child);
    queue_leave(table, parent);
    process_entry_adopt(parent, child);
    shorten_line(table, child);
}

static struct process_entry *add_entry(struct process_table *table, struct identity self,
                                       bool exact)
{
    struct process_entry *entry = process_entry_new(self, &table->footprint);

    if (!entry)
        return NULL;
    entry->exact = exact;
    entry->process.pid = self.pid;
    field_set_add(&entry->process.has, FIELD_PID);
    set_start(table, entry);
    LIST_INSERT_HEAD(bucket_of(table, self), entry, same_bucket);
    table->counters.live++;
    queue_join(table, entry);
    return entry;
}

void process_table_free(struct process_table *table)
{
    struct process_entry *entry;

    if (!table)
        return;
    /* There is always a leaf, and its going makes another. */
    while ((entry = TAILQ_FIRST(&table->exited_leaves)) ||
           (entry = TAILQ_FIRST(&table->live_leaves)))
        remove_entry(table, entry);
    free(table->buckets);
    for (size_t i = 0; i < FILES; i++)
        id_names_free(table->files[i]);
    proc_scan_deinit(&table->proc);
    free(table);
}

static bool is_over(const struct process_table *table)
{
    return table->counters.live + table->counters.exited > table->limits.entries_max ||
           table->footprint > table->limits.bytes_max;
}

/* Makes room, but never at the cost of KEPT or its ancestors. */
static void trim(struct process_table *table, const struct process_entry *kept)
{
    while (is_over(table) || table->exited_leaf_count > table->limits.exited_max) {
        struct process_entry *victim = TAILQ_FIRST(&table->exited_leaves);

        if (victim && victim == kept)
            victim = TAILQ_NEXT(victim, queued);
        if (!victim && is_over(table))
            victim = TAILQ_FIRST(&table->live_leaves);
        if (!victim || victim == kept)
            return;
        remove_entry(table, victim);
    }
}

static void mark_exited(struct process_table *table, struct process_entry *entry)
{
    if (entry->exited)
        return;
    queue_leave(table, entry);
    entry->exited = true;
    table->counters.live--;
    table->counters.exited++;
    queue_join(table, entry);
}

/* A name belongs to its number, wherever that came from. */
static void set_names(struct process_table *table, struct process *process, int64_t now)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text name = {NULL, 0};
        struct value id;

        if (process_value(process, &field_catalogue[names[i].id], &id))
            name = id_names_get(table->files[names[i].file], id.number, now);
        if (name.ptr)
            process_fields_take_text(process, names[i].name, name);
        else
            field_set_remove(&process->has, names[i].name);
    }
}

void process_table_set_hash(struct process_table *table, struct exe_hash *hash)
{
    table->hash = hash;
}

/* Borrows table->hex. True when there is no use in asking again. */
static bool set_hash(struct process_table *table, struct process *process)
{
    struct text path = {"", 0}, device = process->exe_device;
    int64_t major, minor;

    if (!field_set_has(&process->has, FIELD_EXE_DEVICE) ||
        !field_set_has(&process->has, FIELD_EXE_CTIME) ||
        text_to_int(text_split(&device, ':'), &major) < 0 || text_to_int(device, &minor) < 0)
        return true;
    if (field_set_has(&process->has, FIELD_EXE) && !process->exe_truncated)
        path = process->exe;
    int r = exe_hash_get(table->hash,
                         &(struct exe_file){.pid = process->pid,
                                            .major = (uint32_t)major,
                                            .minor = (uint32_t)minor,
                                            .inode = (uint64_t)process->exe_inode,
                                            .ctime = process->exe_ctime,
                                            .size = process->exe_size},
                         path, table->hex);

    if (r == 0)
        process_set_text(process, FIELD_EXE_SHA256, &process->exe_sha256,
                         (struct text){table->hex, EXE_HASH_LEN});
    return r != -ETIMEDOUT;
}

/* Of those that have none yet: they began before the hashes, or theirs came late. */
static void hash_line(struct process_table *table, struct process_entry *entry)
{
    for (unsigned i = 0; entry && i <= ANCESTOR_MAX; entry = entry->parent, i++) {
        if (entry->hash_sought || field_set_has(&entry->process.has, FIELD_EXE_SHA256))
            continue;
        struct process process = entry->process;

        entry->hash_sought = set_hash(table, &process);
        process_entry_set(entry, &process);
    }
}

/* A new entry of what /proc said; its ancestors are read next, or never. */
static int add_found(struct process_table *table, const struct proc_entry *found,
                     struct process_entry **out)
{
    struct process process = found->process;
    struct process_entry *entry = add_entry(table, found->self, false);

    if (!entry)
        return -ENOMEM;
    process.start_time = entry->process.start_time;
    field_set_add(&process.has, FIELD_START_TIME);
    set_names(table, &process, table->offset_checked);
    int r = process_entry_set(entry, &process);

    if (r < 0) {
        remove_entry(table, entry);
        return r;
    }
    entry->parent_sought = true;
    if (found->zombie)
        mark_exited(table, entry);
    table->counters.from_proc++;
    *out = entry;
    return 0;
}

/* Finds the process or adds it from /proc. -ESRCH, -ENOMEM, or -errno of reading. */
static int find_or_read(struct process_table *table, int64_t pid, struct process_entry **out,
                        int64_t *ppid)
{
    struct proc_stat stat;
    struct proc_entry found;
    int r = proc_scan_stat(&table->proc, pid, &stat);

    if (r < 0)
        return r;
    *ppid = 0; /* of one that was here already, it is no longer asked */
    *out = find_entry(table, stat.self, false);
    if (*out)
        return 0;
    r = proc_scan_read(&table->proc, pid, &found);
    if (r < 0)
        return r;
    if (found.self.start != stat.self.start)
        return -ESRCH;
    *ppid = found.ppid;
    return add_found(table, &found, out);
}

/* Reads a process and those of its ancestors that are unknown. A parent began before its child,
 * even one that took the child over: otherwise the pid was used again between two reads. */
static int read_line(struct process_table *table, int64_t pid, struct process_entry **out)
{
    struct process_entry *child = NULL, *first = NULL;

    for (unsigned i = 0; i <= ANCESTOR_MAX && pid > 0; i++) {
        struct process_entry *entry;
        int r = find_or_read(table, pid, &entry, &pid);

        if (r < 0 && (r == -ENOMEM || !first))
            return r;
        if (r < 0 || (child && entry->self.start / PROC_TICK_NS > child->self.start / PROC_TICK_NS))
            break;
        if (child)
            link_parent(table, child, entry);
        first = first ? first : entry;
        child = entry;
    }
    *out = first;
    return 0;
}

static int scan_one(int64_t pid, void *context)
{
    struct process_entry *entry;
    int r = read_line(context, pid, &entry);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    trim(context, entry);
    return 0;
}

int process_table_scan(struct process_table *table)
{
    return proc_scan_each(&table->proc, scan_one, table);
}

const struct process *process_table_find(struct process_table *table, struct identity self)
{
    const struct process_entry *entry = find_entry(table, self, true);

    return entry ? &entry->process : NULL;
}

void process_table_count(const struct process_table *table, struct process_table_counters *out)
{
    *out = table->counters;
    out->bytes = table->footprint;
}

static void follow_clock(struct process_table *table, int64_t boot_time)
{
    if (boot_time - table->offset_checked < OFFSET_CHECK_NS)
        return;
    int64_t offset = clock_boot_offset();

    table->offset_checked = boot_time;
    if (offset - table->offset > OFFSET_TOLERANCE_NS ||
        table->offset - offset > OFFSET_TOLERANCE_NS)
        table->offset = offset;
}

/* Finds the process or reads it from /proc. Whoever has that pid there now, only one that began
 * when SELF did is found. */
static struct process_entry *find_or_seek(struct process_table *table, struct identity self)
{
    struct process_entry *entry = find_entry(table, self, true);

    if (entry || read_line(table, self.pid, &entry) < 0)
        return entry;
    return find_entry(table, self, true);
}

/* Gives the entry the parent that the record names, unless it has a better one: the one that made
 * it, whoever the kernel says its parent is. */
static void settle_parent(struct process_table *table, struct process_entry *entry,
                          const struct record *record)
{
    bool forked = record->type == EVENT_FORK;
    struct identity self = forked && record->creator.pid > 0 ? record->creator : record->parent;
    struct process_entry *parent;

    if (self.pid <= 0 || entry->parent_forked || (entry->parent && !forked))
        return;
    if (entry->parent_sought && !forked) {
        parent = find_entry(table, self, true);
    } else {
        parent = find_or_seek(table, self);
        table->counters.unknown_parents += !parent;
        entry->parent_sought = true;
    }
    if (!parent)
        return;
    link_parent(table, entry, parent);
    entry->parent_forked = forked;
}

/* How old the executable was; a clock that was set back makes none of the future. */
static void set_age(const struct process_table *table, struct process *process,
                    const struct record *record)
{
    int64_t age;

    if (!field_set_has(&process->has, FIELD_EXE_CTIME))
        return;
    if (__builtin_sub_overflow(record->boot_time + table->offset, process->exe_ctime, &age))
        age = INT64_MAX;
    process_set_number(process, FIELD_EXE_AGE, &process->exe_age, age > 0 ? age : 0);
}

static bool has_moved(const struct process *was, const struct process *said)
{
    return field_set_has(&was->has, FIELD_CGROUP_ID) &&
           field_set_has(&said->has, FIELD_CGROUP_ID) && was->cgroup_id != said->cgroup_id;
}

/* What the process is, now that the record says so. */
static void merge(struct process_table *table, const struct process_entry *entry,
                  const struct record *record, struct process *merged)
{
    const struct process *said = &record->process;

    *merged = entry->process;
    if (record->type == EVENT_EXEC)
        process_fields_forget(merged,
                              record->filtered ? &process_fields_every : &process_fields_image);
    if (has_moved(merged, said))
        process_fields_forget(merged, &process_fields_cgroup);
    process_fields_take(merged, said,
                        record->type == EVENT_EXEC_FAILED ? &process_fields_but_attempt
                                                          : &process_fields_every);
    /* Every record says which terminal there is, but an exiting process may have let go of it. */
    if (record->type != EVENT_EXIT && !field_set_has(&said->has, FIELD_TTY))
        field_set_remove(&merged->has, FIELD_TTY);
    merged->pid = entry->self.pid;
    field_set_add(&merged->has, FIELD_PID);
    if (!field_set_has(&said->has, FIELD_PPID) && record->parent.pid > 0) {
        merged->ppid = record->parent.pid;
        field_set_add(&merged->has, FIELD_PPID);
    }
    merged->start_time = entry->process.start_time;
    field_set_add(&merged->has, FIELD_START_TIME);
    if (record->type == EVENT_EXEC)
        set_age(table, merged, record);
    if (field_set_has(&said->has, FIELD_UID))
        set_names(table, merged, record->boot_time);
}

static int update(struct process_table *table, struct process_entry *entry,
                  const struct record *record, bool is_new)
{
    struct process *shown = &table->shown;

    settle_parent(table, entry, record);
    if (record->type == EVENT_FORK && !is_new) {
        *shown = entry->process;
        return 0;
    }
    if (record->type == EVENT_FORK && entry->parent)
        process_entry_inherit(entry, entry->parent);
    merge(table, entry, record, shown);
    if (record->type == EVENT_EXEC)
        entry->hash_sought = table->hash && !record->filtered && set_hash(table, shown);
    int r = process_entry_set(entry, shown);

    if (r < 0)
        return r;
    if (table->hash && record->type != EVENT_FORK) {
        /* An exec has just asked for its own. */
        hash_line(table, record->type == EVENT_EXEC ? entry->parent : entry);
        *shown = entry->process;
    }
    const struct field_set *own = record->type == EVENT_EXEC          ? &process_fields_shown
                                  : record->type == EVENT_EXEC_FAILED ? &process_fields_attempt
                                                                      : NULL;

    if (own) {
        process_fields_forget(shown, own);
        process_fields_take(shown, &record->process, own);
    }
    return 0;
}

int process_table_apply(struct process_table *table, const struct record *record, struct event *out)
{
    if (record->self.pid <= 0)
        return -EINVAL;
    follow_clock(table, record->boot_time);
    /* Only a failed exec leaves the caller's image as it was, for /proc to tell. */
    struct process_entry *entry = record->type == EVENT_EXEC_FAILED
                                      ? find_or_seek(table, record->self)
                                      : find_entry(table, record->self, true);
    bool is_new = !entry;

    if (entry && entry->exit_reported && record->type == EVENT_EXIT) {
        table->counters.duplicates++;
        return -EALREADY;
    }
    if (is_new)
        entry = add_entry(table, record->self, true);
    if (!entry)
        return -ENOMEM;
    int r = update(table, entry, record, is_new);

    if (record->type == EVENT_EXEC)
        entry->filtered = record->filtered;
    bool filtered = entry->filtered;

    if (record->type == EVENT_EXIT) {
        mark_exited(table, entry);
        entry->exit_reported = true;
    } else if (!entry->exited) {
        queue_join(table, entry);
    }
    trim(table, entry);
    if (r == 0 && filtered)
        return -ECANCELED;
    if (r == 0)
        process_event_make(record, &table->shown, table->offset, out);
    return r;
}
