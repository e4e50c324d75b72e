/* make_journal PATH [COUNT]: appends alerts, lines of JSON on standard input, to the journal at
 * PATH, as the engine would. With COUNT: so many of them, over and over, a millisecond apart from
 * 2026 on. Two outputs are there: `json` has all, `webhook` rejected the first and has not settled
 * what was appended last. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "alert/alert_id.h"
#include "base/clock.h"
#include "base/json.h"
#include "journal/journal.h"
#include "presentation/alert_tree.h"
#include "rule/rule.h"

#define LINES_MAX 20000
#define GROUP     1000 /* alerts a commit */

#define BEGIN_2026 (1767225600 * NS_PER_S)

struct line {
    struct text json;
    json_t *tree;
};

struct maker {
    struct journal *journal;
    struct buffer input;
    struct line lines[LINES_MAX];
    size_t count;
    int64_t seq, first;
};

static struct text text_at(const struct line *line, const char *path)
{
    return alert_tree_text(line->tree, text_from(path));
}

static void put(struct maker *maker, const struct line *line, struct text id, int64_t time)
{
    enum severity severity = SEVERITY_MEDIUM;

    severity_parse(text_at(line, "rule.severity"), &severity);
    journal_raise(maker->journal);
    journal_put_alert(maker->journal, &(struct journal_alert){
                                          .seq = ++maker->seq,
                                          .time = time,
                                          .route = 3,
                                          .id = id,
                                          .host = text_at(line, "host.name"),
                                          .rule = text_at(line, "rule.id"),
                                          .title = text_at(line, "rule.title"),
                                          .message = text_at(line, "message"),
                                          .json = line->json,
                                          .severity = (int)severity,
                                      });
    journal_put_accounted(maker->journal, 1);
}

static void put_lines(struct maker *maker)
{
    for (size_t i = 0; i < maker->count; i++) {
        const struct line *line = &maker->lines[i];
        int64_t time = 0;

        time_parse(text_at(line, "time"), &time);
        put(maker, line, text_at(line, "id"), time);
    }
}

static int put_many(struct maker *maker, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const struct line *line = &maker->lines[(size_t)i % maker->count];
        int64_t time = BEGIN_2026 + i * NS_PER_MS;
        struct alert_id id = alert_id_make(time, (const uint64_t[3]){0}, text_at(line, "rule.id"));

        put(maker, line, text_from(id.text), time);
        if (i % GROUP == GROUP - 1) {
            if (journal_commit(maker->journal) < 0)
                return -1;
            journal_begin(maker->journal);
        }
    }
    return 0;
}

static int read_lines(struct maker *maker)
{
    if (buffer_read_fd(&maker->input, STDIN_FILENO, (size_t)256 << 20) < 0)
        return -1;
    struct text rest = buffer_text(&maker->input);

    while (rest.ptr && maker->count < LINES_MAX) {
        struct line *line = &maker->lines[maker->count];
        struct json_failure failure;

        line->json = text_split(&rest, '\n');
        if (line->json.len == 0)
            continue;
        if (json_parse(line->json, &line->tree, &failure) < 0) {
            fprintf(stderr, "line %zu: %s\n", maker->count + 1, failure.reason);
            return -1;
        }
        maker->count++;
    }
    return maker->count > 0 ? 0 : -1;
}

static void put_outputs(struct maker *maker, const struct journal_output *outputs)
{
    struct journal_output json = outputs[0], webhook = outputs[1];

    json.cursor = maker->seq;
    webhook.cursor = maker->seq - 1;
    webhook.pending = 1;
    journal_put_output(maker->journal, &json);
    journal_put_output(maker->journal, &webhook);
    if (maker->first == 1)
        journal_put_dead_letter(
            maker->journal,
            &(struct journal_dead_letter){"webhook", 1, "-", BEGIN_2026, "status 413: too large"});
}

static int make(struct maker *maker, const char *path, int64_t count)
{
    struct journal_options options = {.path = path,
                                      .size = INT64_C(1) << 40,
                                      .age = JOURNAL_AGE,
                                      .uid = getuid(),
                                      .gid = getgid()};
    struct journal_output outputs[] = {{.name = "json", .bit = -1}, {.name = "webhook", .bit = -1}};
    CLEANUP(buffer_deinit) struct buffer why = {0};

    if (read_lines(maker) < 0)
        return -1;
    if (journal_new(&options, &why, &maker->journal) < 0 || !journal_is_open(maker->journal)) {
        fprintf(stderr, "%s: %s\n", path, buffer_string(&why));
        return -1;
    }
    if (journal_enrol(maker->journal, outputs, 2) < 0)
        return -1;
    maker->seq = journal_last(maker->journal);
    maker->first = maker->seq + 1;
    journal_begin(maker->journal);
    if (!count)
        put_lines(maker);
    else if (put_many(maker, count) < 0)
        return -1;
    put_outputs(maker, outputs);
    return journal_commit(maker->journal);
}

/* The count of what was raised would outlive the folder that the journal is in. */
static void delete_count(const char *path)
{
    CLEANUP(buffer_deinit) struct buffer name = {0};
    struct stat lock;

    buffer_printf(&name, "%s.lock", path);
    if (stat(buffer_string(&name), &lock) < 0)
        return;
    buffer_clear(&name);
    buffer_printf(&name, "/dev/shm/picket-%llx-%llx", (unsigned long long)lock.st_dev,
                  (unsigned long long)lock.st_ino);
    unlink(buffer_string(&name));
}

int main(int argc, char **argv)
{
    static struct maker maker;
    int64_t count = 0;

    if (argc < 2 || (argc > 2 && text_to_int(text_from(argv[2]), &count) < 0))
        return 2;
    int r = make(&maker, argv[1], count);

    if (r < 0 && maker.journal)
        fprintf(stderr, "%s: %s\n", argv[1], journal_why(maker.journal));
    journal_free(maker.journal);
    delete_count(argv[1]);
    for (size_t i = 0; i < maker.count; i++)
        json_decref(maker.lines[i].tree);
    buffer_deinit(&maker.input);
    return r < 0;
}
