/* The conformance kit: tries whether a plugin keeps to the contract of "picket/plugin.h", by having
 * it do its work, in a real host, for the alerts of trial_alert.h. What it delivers goes where its
 * options say. For a process of one thread. */
#ifndef PICKET_OUTPUT_PLUGIN_TRIAL_H
#define PICKET_OUTPUT_PLUGIN_TRIAL_H

#include "host/host_spawn.h"
#include "plugin/output_config.h"

struct plugin_trial {
    const struct output_config *config; /* the plugin, and options it opens with */
    /* What to run its host under, and then have it live once; NULL: nothing. */
    const struct host_tool *tool;
    /* Once a check: FAILURE is NULL when it passed, else why not. SAID is what was logged. */
    void (*report)(void *context, const char *check, const char *failure, struct text said);
    void *context;
};

/* How many checks failed; -errno: it could not be tried. */
int plugin_trial_run(const struct plugin_trial *trial);

#endif
