/* The whole line: where events come from, rules, outputs; and the end of it, with every count. */
#ifndef PICKET_ENGINE_ENGINE_H
#define PICKET_ENGINE_ENGINE_H

#include "base/cleanup.h"
#include "base/diag.h"
#include "rule/ruleset.h"

/* Where rules, configuration and the like are looked for when nobody says. */
#define ENGINE_CONFIG_PATH "/etc/picket/picket.yaml"
#define ENGINE_SITE_RULES  "/etc/picket/rules.d"

struct engine_options {
    const char *config;         /* NULL: ENGINE_CONFIG_PATH when it is there */
    const char *const *rules;   /* files and folders, instead of the configuration's */
    size_t rule_count;          /* 0: the configuration's, else the installed ones */
    const char *const *outputs; /* `-o` arguments, instead of the configuration's */
    size_t output_count;        /* 0: the configuration's, else console */
    const char *sensor; /* the `--sensor` argument, instead of the configuration's; NULL: that */
    /* What of rules is loaded: the configuration's min_level where this one says none. */
    struct ruleset_options rule_options;
    bool watch;   /* read rules anew when their files change, whatever is configured */
    size_t stats; /* of a replay: how many rules to print the cost of; 0: it is not measured */
    bool replay;  /* wait for outputs instead of dropping */
};

struct engine;

/* Loads configuration and rules and starts the outputs. A user's mistakes are in DIAGS: then the
 * result is -EINVAL. Those of configuration, rules and the form of `-o` in one pass; what plugins
 * say of their options, when nothing else is wrong. Else 0 or -errno. */
int engine_new(const struct engine_options *options, struct diag_list *diags, struct engine **out);
void engine_free(struct engine *engine);
DEFINE_FREEP(struct engine, engine)

/* Watches this machine, or reads a stream of what happens on others (engine/centre.h), until SIGINT
 * or SIGTERM; SIGHUP has the rules read anew (engine/reload.h),
 * SIGUSR1 has outputs open their files again, SIGUSR2 prints the counts, and so does the end. From
 * here on nothing waits for standard error. 0, or -errno after saying why. */
int engine_watch(struct engine *engine);

/* Runs the events of the file at PATH ("-": standard input) through. Lines that are no event are
 * said, each once. 0; -EINVAL when there were such lines; -EIO when an alert was not delivered;
 * -errno after saying why. */
int engine_replay(struct engine *engine, const char *path);

#endif
