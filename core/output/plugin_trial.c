#include "output/plugin_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/host.h"
#include "host/plugin_probe.h"
#include "output/delivery.h"
#include "output/trial_alert.h"
#include "plugin/plugin_path.h"
#include "plugin/settings.h"

#define PATIENCE  (15 * NS_PER_S)
#define CLOSE_MAX (2 * NS_PER_S) /* then the engine takes it to hang */
#define MANY      1000
#define LOG_MAX   ((size_t)64 << 10)

struct trial {
    const struct plugin_trial *options;
    struct arena arena;
    struct plugin_info info;
    unsigned number; /* of the last alert */
    int failures;
    /* The check that is being made. */
    const char *check;
    struct diag_list diags;
    struct delivery *delivery;
    int log, stderr_before; /* -1: nothing is diverted */
    uint64_t pushed;
};

/* What is said meanwhile is shown with the check that fails. */
static void divert(struct trial *trial)
{
    trial->log = memfd_create("log", MFD_CLOEXEC);
    trial->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (trial->log >= 0 && trial->stderr_before >= 0)
        dup2(trial->log, STDERR_FILENO);
}

static void restore(struct trial *trial, struct buffer *said)
{
    if (trial->log >= 0 && trial->stderr_before >= 0) {
        dup2(trial->stderr_before, STDERR_FILENO);
        lseek(trial->log, 0, SEEK_SET);
        buffer_read_fd(said, trial->log, LOG_MAX);
    }
    closep(&trial->log);
    closep(&trial->stderr_before);
}

static void begin(struct trial *trial, const char *check)
{
    trial->check = check;
    trial->pushed = 0;
    divert(trial);
}

/* Ends the check: FAILURE (NULL: none) is why it failed. */
static void end(struct trial *trial, const char *failure)
{
    CLEANUP(buffer_deinit) struct buffer said = {0};
    int64_t since = clock_monotonic();

    delivery_free(trial->delivery);
    trial->delivery = NULL;
    if (!failure && clock_monotonic() - since >= CLOSE_MAX)
        failure = "it is not closed within 2 s";
    diag_list_deinit(&trial->diags);
    restore(trial, &said);
    if (!failure && text_contains(buffer_text(&said), TEXT(OUTPUT_BROKEN_CLOSE)))
        failure = "it does not close as it should";
    if (!failure && text_contains(buffer_text(&said), TEXT(OUTPUT_BROKEN_FLUSH)))
        failure = "it does not flush";
    if (!failure && text_contains(buffer_text(&said), TEXT(OUTPUT_NO_VERDICT)))
        failure = "it rejects without a reason";
    trial->failures += failure != NULL;
    trial->options->report(trial->options->context, trial->check, failure, buffer_text(&said));
}

static const char *first_error(struct trial *trial)
{
    for (size_t i = 0; i < trial->diags.count; i++)
        if (trial->diags.items[i].severity == DIAG_ERROR)
            return arena_string(&trial->arena, trial->diags.items[i].message);
    return "it cannot be started";
}

/* A plugin that responds gets what it may respond to. */
static void add_rule(const struct trial *trial, struct output_config *config)
{
    if (trial->info.needs & PICKET_NEEDS_RESPONSE)
        config->settings[config->setting_count++] =
            (struct output_setting){.key = TEXT("respond_to"),
                                    .value = TEXT(TRIAL_ALERT_RULE),
                                    .key_mark = config->mark,
                                    .value_mark = config->mark};
}

/* NULL when the plugin opened, with SETTING (which may be NULL) besides. */
static const char *open_with(struct trial *trial, const struct output_setting *setting)
{
    const struct output_config *given = trial->options->config;
    struct output_config config = *given;
    size_t count = 0;

    config.exposed = false;
    config.settings = arena_array(&trial->arena, given->setting_count + 2, sizeof *config.settings);
    if (!config.settings)
        return strerror(ENOMEM);
    for (size_t i = 0; i < given->setting_count; i++)
        if (!setting || !text_equal(given->settings[i].key, setting->key))
            config.settings[count++] = given->settings[i];
    if (setting)
        config.settings[count++] = *setting;
    config.setting_count = count;
    add_rule(trial, &config);
    const struct delivery_options options = {
        .outputs = &config, .output_count = 1, .tool = trial->options->tool};
    int r = delivery_new(&options, &trial->diags, &trial->delivery);

    if (r == -EINVAL)
        return first_error(trial);
    if (r == 0)
        r = delivery_start(trial->delivery);
    return r < 0 ? strerror(-r) : NULL;
}

static const char *push(struct trial *trial, enum trial_alert_kind kind, unsigned number)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct delivery_alert alert;
    int r = trial_alert_make(kind, number, &arena, &alert);

    if (r == 0)
        r = delivery_push(trial->delivery, &alert, DELIVERY_ALL, true);
    trial->pushed += r == 0;
    return r < 0 ? strerror(-r) : NULL;
}

static struct delivery_counters counters_of(struct trial *trial)
{
    struct delivery_counters counters;

    delivery_counters(trial->delivery, 0, &counters);
    return counters;
}

/* NULL when all that was pushed is settled, and nothing went wrong on the way. */
static const char *settle(struct trial *trial, bool may_reject)
{
    int r = delivery_drain(trial->delivery, PATIENCE);
    struct delivery_counters counters = counters_of(trial);

    if (counters.hangs)
        return "it does not come back within the deadline";
    if (counters.crashes)
        return "it ends its process";
    if (counters.garbage)
        return "it gives a verdict that cannot be, or writes to the host's descriptors";
    if (r < 0)
        return counters.retries ? "it only asks to be tried again" : "it does not deliver";
    if (counters.rejected && !may_reject)
        return "it rejects";
    return counters.delivered + counters.rejected == trial->pushed ? NULL : "alerts are missing";
}

static const char *deliver(struct trial *trial, enum trial_alert_kind kind, unsigned count)
{
    const char *failure = NULL;

    for (unsigned i = 0; !failure && i < count; i++)
        failure = push(trial, kind, ++trial->number);
    return failure ? failure : settle(trial, kind != TRIAL_USUAL);
}

static void try_idle(struct trial *trial)
{
    begin(trial, "opens and closes, having got nothing");
    const char *failure = open_with(trial, NULL);

    end(trial, failure ? failure : settle(trial, false));
}

static void try_kind(struct trial *trial, enum trial_alert_kind kind)
{
    begin(trial, arena_printf(&trial->arena, "takes %s", trial_alert_name(kind)));
    const char *failure = open_with(trial, NULL);

    end(trial, failure ? failure : deliver(trial, kind, 1));
}

/* What a user has who sets `forward`. */
static void try_event(struct trial *trial)
{
    const struct output_setting forward = {.key = TEXT("forward"), .value = TEXT("events")};

    if (trial->info.needs & PICKET_NEEDS_RESPONSE)
        return; /* it is for alerts alone */
    begin(trial,
          arena_printf(&trial->arena, "takes %s instead of alerts", trial_alert_name(TRIAL_EVENT)));
    const char *failure = open_with(trial, &forward);

    end(trial, failure ? failure : deliver(trial, TRIAL_EVENT, 1));
}

/* Every output has the setting; what it makes of the text is the plugin's. */
static void try_formats(struct trial *trial)
{
    static const char *const formats[] = {"ecs", "ocsf", "text"};

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct output_setting format = {.key = TEXT("format"),
                                              .value = text_from(formats[i])};

        if (output_config_find(trial->options->config, TEXT("template")))
            return; /* it is for one format alone */
        begin(trial, arena_printf(&trial->arena, "takes an alert in the format %s", formats[i]));
        const char *failure = open_with(trial, &format);

        end(trial, failure ? failure : deliver(trial, TRIAL_USUAL, 1));
    }
}

static void try_many(struct trial *trial)
{
    begin(trial, "takes 1000 alerts");
    const char *failure = open_with(trial, NULL);

    end(trial, failure ? failure : deliver(trial, TRIAL_USUAL, MANY));
}

/* As after a verdict that was lost. */
static void try_repeats(struct trial *trial)
{
    begin(trial, "takes alerts again that it has had");
    const char *failure = open_with(trial, NULL);

    for (unsigned i = 0; !failure && i < 6; i++)
        failure = push(trial, TRIAL_USUAL, trial->number + i % 3);
    end(trial, failure ? failure : settle(trial, true));
}

/* The path of a regular file that it writes to, or NULL. */
static const char *find_file(struct trial *trial)
{
    struct stat status;

    for (size_t i = 0; i < trial->info.option_count; i++) {
        const struct plugin_option *option = &trial->info.options[i];
        const struct output_setting *setting =
            output_config_find(trial->options->config, option->name);
        const char *path = setting && option->type == PICKET_FILE
                               ? arena_text(&trial->arena, setting->value).ptr
                               : NULL;

        if (path && lstat(path, &status) == 0 && S_ISREG(status.st_mode))
            return path;
    }
    return NULL;
}

static off_t size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0 ? -1 : status.st_size;
}

/* One alert after its file was moved from PATH to MOVED, as logrotate does. Where this user may
 * make no new one, the old one stays in use. */
static const char *move_on(struct trial *trial, const char *path, const char *moved)
{
    if (rename(path, moved) < 0)
        return NULL;
    off_t before = size_of(moved);

    delivery_reopen(trial->delivery);
    const char *failure = deliver(trial, TRIAL_USUAL, 1);
    bool begun = size_of(path) >= 0, grown = size_of(moved) != before;

    if (rename(moved, path) < 0)
        return strerror(errno);
    return failure || !begun || !grown ? failure : "it goes on in the old one";
}

static void try_moved_file(struct trial *trial)
{
    const char *path = find_file(trial);
    const char *moved = path ? arena_printf(&trial->arena, "%s.moved", path) : NULL;

    if (!moved || size_of(moved) >= 0)
        return;
    begin(trial, "goes on in a new file when its own was moved away");
    const char *failure = open_with(trial, NULL);

    if (!failure)
        failure = deliver(trial, TRIAL_USUAL, 1);
    end(trial, failure ? failure : move_on(trial, path, moved));
}

static void kill_host(struct trial *trial)
{
    const struct timespec moment = {.tv_nsec = NS_PER_MS};
    struct delivery_counters counters = counters_of(trial);
    int64_t until = clock_monotonic() + PATIENCE;

    kill(counters.pid, SIGKILL);
    while (counters_of(trial).restarts == 0 && clock_monotonic() < until)
        nanosleep(&moment, NULL);
}

static void try_restart(struct trial *trial)
{
    begin(trial, "begins anew after its process was killed");
    const char *failure = open_with(trial, NULL);

    if (!failure)
        failure = deliver(trial, TRIAL_USUAL, 3);
    if (!failure) {
        kill_host(trial);
        for (unsigned i = 0; !failure && i < 3; i++)
            failure = push(trial, TRIAL_USUAL, ++trial->number);
        int r = failure ? 0 : delivery_drain(trial->delivery, PATIENCE);
        struct delivery_counters counters = counters_of(trial);

        if (r < 0 || counters.crashes != 1 || counters.hangs || counters.garbage)
            failure = "it does not deliver again";
    }
    end(trial, failure);
}

/* A value that a user may well give; a plugin may refuse it, with a reason. */
static void try_value(struct trial *trial, const struct plugin_option *option, struct text value,
                      const char *what)
{
    const struct output_setting setting = {.key = option->name, .value = value};

    begin(trial, arena_printf(&trial->arena, "opens, or says why not, with %s for '%.*s'", what,
                              TEXT_ARG(option->name)));
    const char *failure = open_with(trial, &setting);
    bool unsaid = failure && (strstr(failure, OUTPUT_NO_REASON) || strstr(failure, "host ended") ||
                              strstr(failure, "did not answer"));

    end(trial, unsaid ? failure : NULL);
}

static void try_numbers(struct trial *trial, const struct plugin_option *option)
{
    const char *unit = option->type == PICKET_DURATION ? "ms" : "";
    int64_t scale = option->type == PICKET_DURATION ? NS_PER_MS : 1;

    if (option->min == 0 && option->max == 0)
        return;
    try_value(
        trial, option,
        text_from(arena_printf(&trial->arena, "%lld%s", (long long)(option->min / scale), unit)),
        "its least");
    try_value(
        trial, option,
        text_from(arena_printf(&trial->arena, "%lld%s", (long long)(option->max / scale), unit)),
        "its most");
}

static void try_texts(struct trial *trial, const struct plugin_option *option)
{
    const size_t much = 65536;
    char *filler = arena_alloc(&trial->arena, much + 1);

    try_value(trial, option, TEXT(""), "an empty text");
    try_value(trial, option, TEXT("\033[2J\xe2\x80\xae%n\n"), "control characters");
    if (filler)
        memset(filler, 'x', much);
    if (filler)
        try_value(trial, option, (struct text){filler, much}, "64 KiB");
}

static void try_choices(struct trial *trial, const struct plugin_option *option)
{
    struct text rest = option->choices;

    while (rest.ptr) {
        struct text choice = text_split(&rest, '|');

        try_value(trial, option, choice, arena_printf(&trial->arena, "'%.*s'", TEXT_ARG(choice)));
    }
}

static void try_option(struct trial *trial, const struct plugin_option *option)
{
    switch (option->type) {
    case PICKET_INT:
    case PICKET_SIZE:
    case PICKET_DURATION:
        try_numbers(trial, option);
        break;
    case PICKET_BOOL:
        try_value(trial, option, TEXT("true"), "true");
        try_value(trial, option, TEXT("false"), "false");
        break;
    case PICKET_ENUM:
        try_choices(trial, option);
        break;
    case PICKET_STRING:
    case PICKET_STRINGS:
        try_texts(trial, option);
        break;
    default: /* what they lead to is the user's to choose */
        break;
    }
}

/* The core refuses what is none of an option's values: before the plugin is opened. */
static void try_refusal(struct trial *trial)
{
    const struct output_setting unknown = {.key = TEXT("no_such_option"), .value = TEXT("1")};

    begin(trial, "an option that it does not have is refused");
    const char *failure = open_with(trial, &unknown);

    end(trial, failure ? NULL : "it is taken");
}

static const char *describe(const struct plugin_info *info, struct arena *arena)
{
    if (info->help.len == 0 || info->version.len == 0)
        return "it has no help or no version";
    for (size_t i = 0; i < info->option_count; i++)
        if (info->options[i].help.len == 0)
            return arena_printf(arena, "its option '%.*s' has no help",
                                TEXT_ARG(info->options[i].name));
    return NULL;
}

static int try_table(struct trial *trial)
{
    const char *path, *nearest, *why = NULL;
    int r = plugin_path_find(NULL, trial->options->config->plugin, &trial->arena, &path, &nearest);

    begin(trial, "has a table");
    if (r == 0)
        r = plugin_probe(path, &trial->arena, &trial->info, &why);
    end(trial, r < 0 ? why ? why : strerror(-r) : describe(&trial->info, &trial->arena));
    return r;
}

/* All that a plugin gets in one life, for a tool that looks at all of it. */
static void try_life(struct trial *trial)
{
    begin(trial, "opens, takes alerts of all kinds, closes");
    const char *failure = open_with(trial, NULL);

    for (enum trial_alert_kind kind = 0; !failure && kind < TRIAL_KINDS; kind++)
        failure = push(trial, kind, ++trial->number);
    for (unsigned i = 0; !failure && i < MANY; i++)
        failure = push(trial, TRIAL_USUAL, ++trial->number);
    end(trial, failure ? failure : settle(trial, true));
}

static void try_all(struct trial *trial)
{
    try_idle(trial);
    if (trial->failures == 0)
        try_kind(trial, TRIAL_USUAL);
    if (trial->failures)
        return; /* its receiver is not there: there is no more to be learned */
    for (enum trial_alert_kind kind = TRIAL_USUAL + 1; kind < TRIAL_KINDS; kind++)
        try_kind(trial, kind);
    try_event(trial);
    try_formats(trial);
    try_many(trial);
    try_repeats(trial);
    try_moved_file(trial);
    try_restart(trial);
    try_refusal(trial);
    for (size_t i = 0; i < trial->info.option_count; i++)
        try_option(trial, &trial->info.options[i]);
}

int plugin_trial_run(const struct plugin_trial *options)
{
    struct trial trial = {.options = options, .log = -1, .stderr_before = -1};

    /* What a sanitizer is part of loads only where the tool is. */
    if (options->tool)
        try_life(&trial);
    else if (try_table(&trial) == 0)
        try_all(&trial);
    arena_deinit(&trial.arena);
    return trial.failures;
}
