#include "plugin/settings.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "presentation/presentation.h"
#include "presentation/redaction.h"

enum common {
    COMMON_NAME,
    COMMON_DEADLINE,
    COMMON_QUEUE,
    COMMON_QUEUE_SIZE,
    COMMON_BATCH,
    COMMON_MEMORY,
    COMMON_CPU,
    COMMON_RUN_AS,
    COMMON_SHA256,
    COMMON_FORWARD,
    COMMON_FORMAT,
    COMMON_TEMPLATE,
    COMMON_REDACT,
    COMMON_COUNT
};

/* clang-format off */
#define LITERAL(string) {(string), sizeof(string) - 1}
/* clang-format on */

static const struct plugin_option common[COMMON_COUNT] = {
    [COMMON_NAME] = {.name = LITERAL("name"),
                     .type = PICKET_STRING,
                     .help = LITERAL("what routes and messages call it; else as its plugin")},
    [COMMON_DEADLINE] = {.name = LITERAL("deadline"),
                         .type = PICKET_DURATION,
                         .value = LITERAL("10s"),
                         .min = 10 * NS_PER_MS,
                         .max = 3600 * NS_PER_S,
                         .help = LITERAL("its plugin answers within this time, or is killed")},
    [COMMON_QUEUE] = {.name = LITERAL("queue"),
                      .type = PICKET_INT,
                      .value = LITERAL("8192"),
                      .min = 1,
                      .max = 1 << 24,
                      .help = LITERAL("alerts that may wait for it; more are dropped, counted")},
    [COMMON_QUEUE_SIZE] = {.name = LITERAL("queue_size"),
                           .type = PICKET_SIZE,
                           .value = LITERAL("64MiB"),
                           .min = 1 << 16,
                           .max = 1LL << 40,
                           .help = LITERAL("bytes of alerts that may wait for it")},
    [COMMON_BATCH] = {.name = LITERAL("batch"),
                      .type = PICKET_INT,
                      .min = 1,
                      .max = SETTINGS_BATCH_MAX,
                      .help = LITERAL("the most alerts it is given at once; else its own choice")},
    [COMMON_MEMORY] = {.name = LITERAL("memory"),
                       .type = PICKET_SIZE,
                       .value = LITERAL("512MiB"),
                       .min = 1 << 20,
                       .max = 1LL << 40,
                       .help = LITERAL("that its host may use beyond what it starts with")},
    [COMMON_CPU] = {.name = LITERAL("cpu"),
                    .type = PICKET_INT,
                    .value = LITERAL("100"),
                    .max = 100000,
                    .help = LITERAL("percent of one CPU that its host may use; 0: no limit")},
    [COMMON_RUN_AS] = {.name = LITERAL("run_as"),
                       .type = PICKET_STRING,
                       .help =
                           LITERAL("whom its host becomes: a user's name or number; else nobody")},
    [COMMON_SHA256] = {.name = LITERAL("sha256"),
                       .type = PICKET_BOOL,
                       .value = LITERAL("false"),
                       .help = LITERAL("alerts have exe.sha256, though no rule asks for it")},
    [COMMON_FORWARD] = {.name = LITERAL("forward"),
                        .type = PICKET_ENUM,
                        .choices = LITERAL("alerts|events"),
                        .value = LITERAL("alerts"),
                        .help = LITERAL("what it gets: rules' alerts, or every event instead")},
    [COMMON_FORMAT] = {.name = LITERAL("format"),
                       .type = PICKET_ENUM,
                       .choices = LITERAL(PRESENTATION_FORMATS),
                       .value = LITERAL("picket"),
                       .help = LITERAL("what it writes of an alert, where it writes text")},
    [COMMON_TEMPLATE] = {.name = LITERAL("template"),
                         .type = PICKET_STRING,
                         .help = LITERAL("the line of the format text; else one made for people")},
    [COMMON_REDACT] = {.name = LITERAL("redact"),
                       .type = PICKET_STRINGS,
                       .help = LITERAL("secrets to be masked: passwords, tokens, or patterns")},
};

enum responding { RESPONDING_TO, RESPONDING_DRY, RESPONDING_LIMIT, RESPONDING_COUNT };

static const struct plugin_option responding[RESPONDING_COUNT] = {
    [RESPONDING_TO] = {.name = LITERAL("respond_to"),
                       .type = PICKET_STRINGS,
                       .flags = PICKET_REQUIRED,
                       .help = LITERAL("ids of the rules it may respond to; it gets no others")},
    [RESPONDING_DRY] = {.name = LITERAL("dry_run"),
                        .type = PICKET_BOOL,
                        .value = LITERAL("true"),
                        .help = LITERAL("only say what would be done to a process")},
    [RESPONDING_LIMIT] = {.name = LITERAL("respond_limit"),
                          .type = PICKET_INT,
                          .value = LITERAL("10"),
                          .min = 1,
                          .max = 1000,
                          .help = LITERAL("processes that it may respond to within a minute")},
};

const struct plugin_option *settings_common(size_t *count)
{
    *count = COMMON_COUNT;
    return common;
}

const struct plugin_option *settings_responding(size_t *count)
{
    *count = RESPONDING_COUNT;
    return responding;
}

static bool is_among(struct text name, const struct plugin_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, options[i].name))
            return true;
    return false;
}

bool settings_is_common(struct text name)
{
    return is_among(name, common, COMMON_COUNT) || is_among(name, responding, RESPONDING_COUNT);
}

/* What may be a secret is not shown beside a mistake: the plugin has not been asked yet. */
static void hide_options(const struct option_reader *reader)
{
    for (size_t i = 0; i < reader->config->setting_count; i++) {
        const struct output_setting *setting = &reader->config->settings[i];

        if (!settings_is_common(setting->key))
            diag_hide(reader->diags, setting->value_mark);
    }
}

/* The setting that is item NUMBER of the list KEY, or NULL. */
static const struct output_setting *find_item(const struct output_config *config, struct text key,
                                              size_t number)
{
    for (size_t i = 0; i < config->setting_count; i++)
        if (text_equal(config->settings[i].key, key) && config->settings[i].value.ptr &&
            number-- == 0)
            return &config->settings[i];
    return NULL;
}

/* The place of LEN bytes at OFFSET of a value; all of it when it does not stand as it reads. */
static struct mark mark_inside(const struct output_setting *setting, size_t offset, size_t len)
{
    struct mark mark = setting->value_mark;

    if (mark.width != setting->value.len || offset > setting->value.len)
        return mark;
    mark.column += (unsigned)offset;
    mark.width = (unsigned)len;
    return mark;
}

/* Diagnoses what is wrong with LOOK, whose items are those from FIRST on. */
static int check_part(const struct option_reader *reader, const struct alert_look *look,
                      size_t first)
{
    CLEANUP(presentation_freep) struct presentation *presentation = NULL;
    struct presentation_mistake mistake;
    int r = presentation_new(look, &presentation, &mistake);

    if (r != -EINVAL)
        return r;
    struct text key = common[mistake.in_template ? COMMON_TEMPLATE : COMMON_REDACT].name;
    const struct output_setting *setting =
        find_item(reader->config, key, mistake.in_template ? 0 : first + mistake.item);

    diag_error(reader->diags,
               setting ? mark_inside(setting, mistake.offset, mistake.len) : reader->config->mark,
               "bad-option-value", "option '%.*s': %s", TEXT_ARG(key), mistake.reason);
    return 0;
}

/* Whether a template and what is to be masked make sense is known before any host runs. */
static int check_look(const struct option_reader *reader, const struct settings *settings)
{
    const struct output_setting *template =
        output_config_find(reader->config, common[COMMON_TEMPLATE].name);
    struct alert_look look = {.template = settings->template};
    int r = check_part(reader, &look, 0);

    if (template && settings->format != PRESENTATION_TEXT)
        diag_error(reader->diags, template->key_mark, "bad-option-value",
                   "option 'template' is for the format text: it wants 'format' to be that");
    look = (struct alert_look){.redact = settings->redact, .redact_count = settings->redact_count};
    if (look.redact_count > REDACTION_ITEMS_MAX)
        return r < 0 ? r : check_part(reader, &look, 0);
    look.redact_count = 1;
    for (size_t i = 0; r == 0 && i < settings->redact_count; i++, look.redact++)
        r = check_part(reader, &look, i);
    return r;
}

#define NAME_LEN_MAX 64

/* Routes, messages and listings go by it. */
static void check_name(const struct option_reader *reader, struct text name)
{
    const struct output_setting *setting =
        output_config_find(reader->config, common[COMMON_NAME].name);
    bool fits = name.len > 0 && name.len <= NAME_LEN_MAX && text_is_utf8(name);

    for (size_t i = 0; fits && i < name.len; i++)
        fits = (unsigned char)name.ptr[i] >= ' ' && name.ptr[i] != 0x7f;
    if (!fits && setting)
        diag_error(reader->diags, setting->value_mark, "bad-option-value",
                   "option 'name' takes 1 to %d bytes of printable text", NAME_LEN_MAX);
}

static const char *find_user(struct text who, struct arena *arena, struct account *out)
{
    const char *name = memchr(who.ptr, '\0', who.len) ? NULL : arena_text(arena, who).ptr;

    if (!name || account_find(name, out) < 0)
        return "there is no such user in /etc/passwd";
    if (out->uid == 0)
        return "that is root: an output is to run as somebody who may do nothing else";
    if (out->gid == 0)
        return "that user's group is root's: an output is to run in one that may do nothing else";
    return NULL;
}

static void read_user(const struct option_reader *reader, const struct option_value *value,
                      struct account *out)
{
    const char *wrong = value->set ? find_user(value->text, reader->arena, out) : NULL;

    if (!wrong)
        return;
    *out = (struct account){0};
    diag_error(reader->diags, value->mark, "wrong-user", "option '%.*s': '%.*s': %s",
               TEXT_ARG(common[COMMON_RUN_AS].name), TEXT_ARG(value->text), wrong);
}

int settings_read(const struct output_config *config, struct arena *arena, struct diag_list *diags,
                  struct settings *out)
{
    const struct option_reader reader = {config, arena, diags};
    struct option_value values[COMMON_COUNT];
    size_t errors = diags->errors;
    int r = 0;

    for (size_t i = 0; r == 0 && i < COMMON_COUNT; i++)
        r = option_value_read(&reader, &common[i], &values[i]);
    if (r < 0)
        return r;
    *out = (struct settings){.name = arena_text(arena, output_config_name(config)),
                             .deadline = values[COMMON_DEADLINE].number,
                             .queue = values[COMMON_QUEUE].number,
                             .queue_size = values[COMMON_QUEUE_SIZE].number,
                             .batch = values[COMMON_BATCH].number,
                             .memory = values[COMMON_MEMORY].number,
                             .cpu = values[COMMON_CPU].number,
                             .sha256 = values[COMMON_SHA256].number,
                             .forwards = values[COMMON_FORWARD].number,
                             .format = values[COMMON_FORMAT].number,
                             .template = values[COMMON_TEMPLATE].text,
                             .redact = values[COMMON_REDACT].list,
                             .redact_count = values[COMMON_REDACT].list_count};
    check_name(&reader, out->name);
    read_user(&reader, &values[COMMON_RUN_AS], &out->user);
    out->user_mark = values[COMMON_RUN_AS].mark;
    r = out->name.ptr ? check_look(&reader, out) : -ENOMEM;
    if (diags->errors != errors)
        hide_options(&reader);
    return r;
}

/* Those besides the common ones that are for the plugin. */
static size_t responding_count(const struct plugin_info *info)
{
    return info->needs & PICKET_NEEDS_RESPONSE ? RESPONDING_COUNT : 0;
}

/* Of all that the output may be given; NULL when out of memory. */
static const char **list_names(const struct plugin_info *info, struct arena *arena, size_t *count)
{
    size_t before = COMMON_COUNT + responding_count(info);

    *count = before + info->option_count;
    const char **names = arena_array(arena, *count, sizeof *names);

    for (size_t i = 0; names && i < *count; i++) {
        const struct plugin_option *option = i < COMMON_COUNT ? &common[i]
                                             : i < before     ? &responding[i - COMMON_COUNT]
                                                              : &info->options[i - before];

        names[i] = arena_text(arena, option->name).ptr;
        if (!names[i])
            return NULL;
    }
    return names;
}

static int diagnose_unknown(struct diag_list *diags, const struct output_config *config,
                            const struct output_setting *setting, const struct plugin_info *info)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    size_t count;
    const char **names = list_names(info, &arena, &count);

    if (!names)
        return -ENOMEM;
    const char *nearest = text_nearest(setting->key, names, count);

    diag_hide(diags, setting->value_mark); /* it may be meant for a secret */
    diag_error(diags, setting->key_mark, "unknown-option", "output '%.*s' has no option '%.*s'%s",
               TEXT_ARG(output_config_name(config)), TEXT_ARG(setting->key),
               diag_hint(diags, nearest));
    return 0;
}

static bool is_known(struct text key, const struct plugin_info *info)
{
    return is_among(key, info->options, info->option_count) ||
           is_among(key, common, COMMON_COUNT) || is_among(key, responding, responding_count(info));
}

/* Alerts about picket itself are about no process. */
static void check_rules(const struct option_reader *reader, const struct settings *settings)
{
    const struct text key = responding[RESPONDING_TO].name;

    if (!settings->respond_to)
        return; /* diagnosed */
    if (settings->respond_to_count == 0)
        diag_error(reader->diags, reader->config->mark, "bad-option-value",
                   "option '%.*s' wants the id of a rule at least", TEXT_ARG(key));
    for (size_t i = 0; i < settings->respond_to_count; i++) {
        const struct text rule = settings->respond_to[i];
        const struct output_setting *setting = find_item(reader->config, key, i);

        if (rule.len == 0 || text_starts(rule, TEXT("picket.")))
            diag_error(reader->diags, setting ? setting->value_mark : reader->config->mark,
                       "bad-option-value", "option '%.*s' wants ids of rules; not '%.*s'",
                       TEXT_ARG(key), TEXT_ARG(rule));
    }
}

static int read_responding(const struct option_reader *reader, struct settings *out)
{
    struct option_value values[RESPONDING_COUNT];
    int r = 0;

    for (size_t i = 0; r == 0 && i < RESPONDING_COUNT; i++)
        r = option_value_read(reader, &responding[i], &values[i]);
    if (r < 0)
        return r;
    out->respond_to = values[RESPONDING_TO].list;
    out->respond_to_count = values[RESPONDING_TO].list_count;
    out->dry_run = values[RESPONDING_DRY].number;
    out->respond_limit = values[RESPONDING_LIMIT].number;
    check_rules(reader, out);
    if (out->forwards)
        diag_error(reader->diags, reader->config->mark, "bad-option-value",
                   "option 'forward': an output that responds gets alerts");
    return 0;
}

int settings_read_options(const struct output_config *config, const struct plugin_info *info,
                          struct arena *arena, struct diag_list *diags, struct settings *out)
{
    size_t count = info->option_count;
    const struct option_reader reader = {config, arena, diags};
    struct option_value *values = arena_array(arena, count ? count : 1, sizeof *values);
    int r = values ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < config->setting_count; i++)
        if (!is_known(config->settings[i].key, info))
            r = diagnose_unknown(diags, config, &config->settings[i], info);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = option_value_read(&reader, &info->options[i], &values[i]);
    if (r == 0 && responding_count(info))
        r = read_responding(&reader, out);
    if (r < 0)
        return r;
    out->values = values;
    out->value_count = count;
    return 0;
}
