#include "engine/reload.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "alert/selftest.h"
#include "base/json.h"
#include "base/log.h"
#include "rule/predicate.h"

struct reload {
    struct reload_options options;
    pthread_t thread;
    bool started;
    int wake, bell; /* eventfds: of the thread, and of who takes */
    atomic_bool stop, asked;
    _Atomic(struct reload_offer *) offered, returned;
    atomic_ulong taken, rejected;
    /* The thread's own: */
    bool outstanding;            /* an offer was not given back yet */
    const struct rulebook *book; /* in force, once that is back */
    int64_t stirred;             /* when files began to change, monotonic; 0: none did */
    int64_t still_since;         /* and when they ceased to */
    size_t warnings;             /* of what is outstanding */
    uint64_t attempts;
};

static int init(struct reload *reload, const struct reload_options *options)
{
    reload->options = *options;
    reload->book = options->book;
    reload->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    reload->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return reload->wake < 0 || reload->bell < 0 ? -errno : 0;
}

int reload_new(const struct reload_options *options, struct reload **out)
{
    struct reload *reload = calloc(1, sizeof *reload);
    int r = reload ? init(reload, options) : -ENOMEM;

    if (r < 0) {
        reload_free(reload);
        return r;
    }
    *out = reload;
    return 0;
}

static void offer_free(struct reload_offer *offer)
{
    if (!offer)
        return;
    rulebook_free(offer->book);
    buffer_deinit(&offer->message);
    buffer_deinit(&offer->detail);
    free(offer);
}

/* A counter that is full is an event, too. */
static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);

    (void)written;
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    if (reload->started) {
        reload->stop = true;
        ring(reload->wake);
        pthread_join(reload->thread, NULL);
    }
    offer_free(reload->offered);
    offer_free(reload->returned);
    closep(&reload->wake);
    closep(&reload->bell);
    free(reload);
}

void reload_ask(struct reload *reload)
{
    reload->asked = true;
    ring(reload->wake);
}

int reload_bell(const struct reload *reload)
{
    return reload->bell;
}

struct reload_offer *reload_take(struct reload *reload)
{
    if (!atomic_load_explicit(&reload->offered, memory_order_relaxed))
        return NULL;
    return atomic_exchange(&reload->offered, NULL);
}

void reload_return(struct reload *reload, struct reload_offer *offer)
{
    reload->taken += offer->book != NULL;
    reload->returned = offer;
    ring(reload->wake);
}

struct reload_counters reload_counters(const struct reload *reload)
{
    return (struct reload_counters){reload->taken, reload->rejected};
}

static void say_taken(const struct reload *reload)
{
    const struct rulebook *book = reload->book;

    log_info("rules read anew: %zu added, %zu removed, %zu changed, %zu in all%s", book->added,
             book->removed, book->changed, book->rules->count,
             reload->warnings ? "; 'picket check' has warnings" : "");
}

static void take_back(struct reload *reload)
{
    struct reload_offer *offer = atomic_exchange(&reload->returned, NULL);

    if (!offer)
        return;
    reload->outstanding = false;
    if (offer->book)
        say_taken(reload);
    offer_free(offer);
}

/* Where a rule first asks for that field; of a message or of `suppress` the place is not kept. */
static struct mark find_asker(const struct ruleset *rules, enum field_id id)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];

        for (size_t k = 0; k < rule->origin_count; k++)
            if (predicate_asks(rule->origins[k].predicate, id))
                return rule->origins[k].mark;
    }
    return (struct mark){0};
}

/* What these rules ask for and this engine cannot begin to give any more. */
static void check_needs(const struct reload *reload, const struct rulebook *book,
                        struct diag_list *diags)
{
    if (!reload->options.hashes && book->asks_sha256)
        diag_error(diags, find_asker(book->rules, FIELD_EXE_SHA256), "needs-restart",
                   "a rule asks for exe.sha256, and when picket was started none did: hashes need "
                   "a process with privileges that are given up by now; restart picket");
}

/* DIAGS may borrow from *BOOK, which is there as soon as the files are without mistakes. */
static int load_book(struct reload *reload, struct diag_list *diags, struct rulebook **book)
{
    struct selftest_counts counts;
    int r = rulebook_load(reload->options.paths, diags, book);

    if (r == 0)
        r = selftest_run((*book)->rules, diags, &counts);
    if (r < 0)
        return r;
    rulebook_route(*book, reload->options.delivery);
    check_needs(reload, *book, diags);
    if (diags->failed)
        return -ENOMEM;
    return diags->errors ? -EINVAL : rulebook_compare(*book, reload->book);
}

static void put_place(struct buffer *out, const struct diag *diag)
{
    if (diag->mark.file)
        buffer_printf(out, "%s:", diag->mark.file);
    if (diag->mark.line)
        buffer_printf(out, "%u:%u:", diag->mark.line, diag->mark.column);
    if (diag->mark.file)
        buffer_put_char(out, ' ');
    buffer_put_string(out, diag->message);
}

/* The one at or behind AT that is an error, or NULL. */
static const struct diag *next_error(const struct diag_list *diags, size_t *at)
{
    while (*at < diags->count && diags->items[*at].severity != DIAG_ERROR)
        ++*at;
    return *at < diags->count ? &diags->items[(*at)++] : NULL;
}

static void put_diag(struct json_writer *json, const struct diag *diag)
{
    json_begin(json, '{');
    if (diag->mark.file) {
        json_key(json, TEXT("file"));
        json_text(json, text_from(diag->mark.file));
    }
    if (diag->mark.line) {
        json_key(json, TEXT("line"));
        json_int(json, diag->mark.line);
        json_key(json, TEXT("column"));
        json_int(json, diag->mark.column);
    }
    json_key(json, TEXT("code"));
    json_text(json, text_from(diag->code));
    json_key(json, TEXT("message"));
    json_text(json, text_from(diag->message));
    json_end(json, '}');
}

static void describe_rejection(struct reload_offer *offer, const struct diag_list *diags, int error)
{
    CLEANUP(buffer_deinit) struct buffer first = {0};
    struct json_writer json = {.buffer = &offer->detail};
    const struct diag *diag;
    size_t at = 0;

    json_begin(&json, '{');
    json_key(&json, TEXT("errors"));
    json_int(&json, (int64_t)diags->errors);
    json_key(&json, TEXT("diagnostics"));
    json_begin(&json, '[');
    for (int i = 0; i < RELOAD_ALERTED_MAX && (diag = next_error(diags, &at)); i++) {
        put_diag(&json, diag);
        if (i == 0)
            put_place(&first, diag);
    }
    json_end(&json, ']');
    json_end(&json, '}');
    if (first.len == 0)
        buffer_put_string(&first, strerror(-error));
    buffer_printf(&offer->message, "changed rules are not used, those before stay in force: ");
    if (diags->errors > 1)
        buffer_printf(&offer->message, "%zu mistakes, the first: ", diags->errors);
    buffer_put_printable(&offer->message, buffer_text(&first));
}

static void say_rejection(const struct reload_offer *offer, const struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    const struct diag *diag;
    size_t at = 0, said = 0;

    for (; said < RELOAD_SAID_MAX && (diag = next_error(diags, &at)); said++)
        diag_render(diags, diag, false, &lines);
    if (said < diags->errors)
        buffer_printf(&lines, "and %zu more\n", diags->errors - said);
    log_lines(buffer_text(&lines));
    log_error("%.*s", TEXT_ARG(buffer_text(&offer->message)));
}

static void describe_change(struct reload_offer *offer)
{
    const struct rulebook *book = offer->book;
    struct json_writer json = {.buffer = &offer->detail};
    const struct {
        struct text key;
        size_t count;
    } counts[] = {{TEXT("added"), book->added},
                  {TEXT("removed"), book->removed},
                  {TEXT("changed"), book->changed},
                  {TEXT("rules"), book->rules->count}};

    buffer_printf(&offer->message, "rules were read anew: %zu added, %zu removed, %zu changed",
                  book->added, book->removed, book->changed);
    json_begin(&json, '{');
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_key(&json, counts[i].key);
        json_int(&json, (int64_t)counts[i].count);
    }
    json_end(&json, '}');
    offer->alerts = book->added + book->removed + book->changed > 0;
}

static void describe(struct reload *reload, struct reload_offer *offer, struct diag_list *diags,
                     int error)
{
    diag_sort(diags);
    if (offer->book) {
        describe_change(offer);
    } else {
        describe_rejection(offer, diags, error);
        say_rejection(offer, diags);
        offer->alerts = true;
        reload->rejected++;
    }
    offer->alerts &= !buffer_failed(&offer->message) && !buffer_failed(&offer->detail);
    offer->alert = (struct internal_alert){
        .kind = offer->book ? INTERNAL_RULES_CHANGED : INTERNAL_RULES_REJECTED,
        .time = clock_realtime(),
        .origin = {++reload->attempts},
        .message = buffer_text(&offer->message),
        .detail = buffer_text(&offer->detail),
    };
}

static void load(struct reload *reload)
{
    CLEANUP(rulebook_freep) struct rulebook *book = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct reload_offer *offer = calloc(1, sizeof *offer);

    if (!offer) {
        log_error("rules are not read anew: %s", strerror(ENOMEM));
        return;
    }
    int r = load_book(reload, &diags, &book);

    if (r == 0) {
        reload->book = offer->book = book;
        book = NULL;
    }
    describe(reload, offer, &diags, r);
    reload->warnings = diags.warnings;
    reload->outstanding = true;
    reload->offered = offer;
    ring(reload->bell);
}

static bool have_changed(struct reload *reload)
{
    struct rule_watch *watch = reload->options.watch;
    bool changed = false;
    int r = watch ? rule_watch_look(watch, &changed) : 0;

    if (r < 0)
        log_warning("changes of rules may go unnoticed: %s: %s", rule_watch_failure(watch),
                    strerror(-r));
    return changed;
}

/* When to look at the files, monotonic; INT64_MAX: there is no cause. */
static int64_t due(const struct reload *reload)
{
    if (!reload->stirred)
        return INT64_MAX;
    int64_t quiet = reload->still_since + RELOAD_QUIET, latest = reload->stirred + RELOAD_LATEST;

    return quiet < latest ? quiet : latest;
}

static void load_if_due(struct reload *reload)
{
    bool asked = !reload->outstanding && atomic_exchange(&reload->asked, false);

    if (reload->outstanding || (!asked && clock_monotonic() < due(reload)))
        return;
    reload->stirred = 0;
    if (have_changed(reload) || asked)
        load(reload);
}

static int timeout(const struct reload *reload)
{
    int64_t at = due(reload), now = clock_monotonic();

    if (at == INT64_MAX || reload->outstanding)
        return -1;
    return at <= now ? 0 : (int)((at - now) / NS_PER_MS) + 1;
}

/* Until there may be something to do. */
static void wait_for_cause(struct reload *reload)
{
    struct rule_watch *watch = reload->options.watch;
    struct pollfd fds[] = {
        {.fd = reload->wake, .events = POLLIN},
        {.fd = watch ? rule_watch_fd(watch) : -1, .events = POLLIN},
    };
    uint64_t count;

    if (poll(fds, 2, timeout(reload)) <= 0)
        return;
    if (fds[0].revents && read(reload->wake, &count, sizeof count) < 0)
        return;
    if (!fds[1].revents)
        return;
    rule_watch_clear(watch);
    reload->still_since = clock_monotonic();
    if (!reload->stirred)
        reload->stirred = reload->still_since;
}

static void *run(void *argument)
{
    struct reload *reload = argument;

    pthread_setname_np(pthread_self(), "picket-loader");
    setpriority(PRIO_PROCESS, 0, RELOAD_NICE);
    while (!reload->stop) {
        wait_for_cause(reload);
        take_back(reload);
        if (!reload->stop)
            load_if_due(reload);
    }
    return NULL;
}

int reload_start(struct reload *reload)
{
    int r = -pthread_create(&reload->thread, NULL, run, reload);

    reload->started = r == 0;
    return r;
}
