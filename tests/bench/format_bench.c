/* What an output's host takes to present an alert, by format, with and without masking.
 *
 *     format_bench ALERTS [ROUNDS]
 *
 * ALERTS has an alert a line, as the json output writes them. Prints a JSON line for each: the best
 * round's nanoseconds of CPU and the bytes an alert. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "presentation/alert_tree.h"
#include "presentation/presentation.h"

struct bench {
    struct picket_alert *alerts;
    size_t count;
    struct arena texts;
};

static bool read_line(struct bench *bench, struct text line)
{
    CLEANUP(json_freep) json_t *tree = NULL;
    struct json_failure failure;
    struct picket_alert *alert = &bench->alerts[bench->count];

    if (line.len == 0 || json_parse(line, &tree, &failure) < 0)
        return false;
    *alert = (struct picket_alert){.size = sizeof *alert, .severity = PICKET_HIGH};
    alert->id = arena_text(&bench->texts, alert_tree_text(tree, TEXT("id"))).ptr;
    alert->host = arena_text(&bench->texts, alert_tree_text(tree, TEXT("host.name"))).ptr;
    alert->rule = arena_text(&bench->texts, alert_tree_text(tree, TEXT("rule.id"))).ptr;
    alert->title = arena_text(&bench->texts, alert_tree_text(tree, TEXT("rule.title"))).ptr;
    alert->message = arena_text(&bench->texts, alert_tree_text(tree, TEXT("message"))).ptr;
    alert->json = arena_text(&bench->texts, line).ptr;
    alert->json_len = line.len;
    bench->count++;
    return true;
}

static size_t present_all(const struct bench *bench, struct presentation *presentation)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    size_t bytes = 0;

    for (size_t i = 0; i < bench->count; i++) {
        struct picket_alert alert = bench->alerts[i];
        json_t *tree;

        if (presentation_apply(presentation, &alert, &arena, &tree) < 0)
            abort();
        bytes += alert.text_len;
        json_decref(tree);
        arena_clear(&arena);
    }
    return bytes;
}

/* Others may want the CPU, too. */
static int64_t cpu_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void measure(const struct bench *bench, const struct alert_look *look, const char *name,
                    int rounds)
{
    CLEANUP(presentation_freep) struct presentation *presentation = NULL;
    struct presentation_mistake mistake;
    int64_t best = INT64_MAX;
    size_t bytes = 0;

    if (presentation_new(look, &presentation, &mistake) < 0)
        abort();
    for (int i = 0; i < rounds; i++) {
        int64_t begin = cpu_time();

        bytes = present_all(bench, presentation);
        int64_t took = cpu_time() - begin;

        best = took < best ? took : best;
    }
    printf("{\"bench\":\"format\",\"format\":\"%s\",\"redact\":%s,\"alerts\":%zu,\"ns\":%lld,"
           "\"bytes\":%zu}\n",
           name, look->redact_count ? "true" : "false", bench->count,
           (long long)best / (long long)bench->count, bytes / bench->count);
}

static void measure_all(const struct bench *bench, int rounds)
{
    static const struct {
        int64_t format;
        const char *name;
        struct text template;
    } looks[] = {{PRESENTATION_PICKET, "picket", {NULL, 0}},
                 {PRESENTATION_ECS, "ecs", {NULL, 0}},
                 {PRESENTATION_OCSF, "ocsf", {NULL, 0}},
                 {PRESENTATION_TEXT, "text", {NULL, 0}},
                 {PRESENTATION_TEXT, "text of the event", {"%{time} %{event.cmdline}", 24}}};
    struct text classes[] = {TEXT("passwords"), TEXT("tokens")};

    for (size_t i = 0; i < 2 * sizeof looks / sizeof *looks; i++) {
        size_t k = i / 2;
        const struct alert_look look = {.format = looks[k].format,
                                        .template = looks[k].template,
                                        .redact = classes,
                                        .redact_count = i % 2 ? 2 : 0};

        measure(bench, &look, looks[k].name, rounds);
    }
}

int main(int argc, char **argv)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    CLEANUP(closep) int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    static struct picket_alert alerts[100000];
    struct bench bench = {.alerts = alerts};
    int64_t rounds = 5;

    if (fd < 0 || buffer_read_fd(&content, fd, 1 << 30) < 0 ||
        (argc > 2 && text_to_int(text_from(argv[2]), &rounds) < 0))
        return EXIT_FAILURE;
    for (struct text rest = buffer_text(&content); rest.ptr && bench.count < 100000;)
        read_line(&bench, text_split(&rest, '\n'));
    if (bench.count)
        measure_all(&bench, (int)rounds);
    arena_deinit(&bench.texts);
    return bench.count ? EXIT_SUCCESS : EXIT_FAILURE;
}
