/* How an output presents alerts: in its user's format, with secrets masked. The host of every
 * output does it, so every plugin has it. */
#ifndef PICKET_PRESENTATION_PRESENTATION_H
#define PICKET_PRESENTATION_PRESENTATION_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "picket/plugin.h"

/* The place of a word in PRESENTATION_FORMATS. */
enum presentation_format {
    PRESENTATION_PICKET, /* the alert's JSON, as docs/events.md has it */
    PRESENTATION_ECS,    /* presentation/alert_ecs.h */
    PRESENTATION_OCSF,   /* presentation/alert_ocsf.h */
    PRESENTATION_TEXT    /* presentation/alert_template.h */
};
#define PRESENTATION_FORMATS "picket|ecs|ocsf|text"

/* What an output's settings say of it. */
struct alert_look {
    int64_t format;       /* enum presentation_format */
    struct text template; /* len 0: the default */
    struct text *redact;  /* what to mask: see presentation/redaction.h */
    size_t redact_count;
};

/* What is wrong with a look. */
struct presentation_mistake {
    bool in_template;   /* else in an item of `redact` */
    size_t item;        /* which */
    size_t offset, len; /* in its text */
    char reason[240];
};

struct presentation;

/* LOOK is not needed any more then. -EINVAL and *MISTAKE, -ENOMEM. */
int presentation_new(const struct alert_look *look, struct presentation **out,
                     struct presentation_mistake *mistake);
void presentation_free(struct presentation *presentation);
DEFINE_FREEP(struct presentation, presentation)

/* Sets the `text` of ALERT, whose other members are there, and puts masked texts in the place of
 * its `json` and `message` where something is masked. What it makes lives in ARENA. *TREE is that
 * of the JSON as it then is, or NULL when it was not needed: the caller's. An alert whose JSON
 * cannot be read is presented without what is in it. NULL as PRESENTATION: JSON, nothing masked.
 * -ENOMEM. */
int presentation_apply(struct presentation *presentation, struct picket_alert *alert,
                       struct arena *arena, json_t **tree);

#endif
