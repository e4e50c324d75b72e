#include "output/response.h"

#include <errno.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "output/news.h"
#include "output/output.h"

#define MINUTE (60 * NS_PER_S)

enum decision {
    DECISION_DONE,
    DECISION_DRY_RUN,
    DECISION_FAILED,
    DECISION_ENDED,
    DECISION_OTHER,
    DECISION_RULE,
    DECISION_NOT_LIVE,
    DECISION_FOREIGN,
    DECISION_NO_PROCESS,
    DECISION_OLD,
    DECISION_LIMIT,
    DECISION_INIT,
    DECISION_KERNEL,
    DECISION_OWN
};

/* As docs/events.md has them. */
static const struct {
    const char *outcome, *reason, *words;
    int answer; /* enum picket_response */
} decisions[] = {
    [DECISION_DONE] = {"done", NULL, NULL, PICKET_RESPONDED},
    [DECISION_DRY_RUN] = {"dry_run", NULL, "'dry_run' is set", PICKET_DRY_RUN},
    [DECISION_FAILED] = {"failed", NULL, NULL, -EIO},
    [DECISION_ENDED] = {"gone", "ended", "it has ended", PICKET_GONE},
    [DECISION_OTHER] = {"gone", "other_process", "its pid is another process's by now",
                        PICKET_GONE},
    [DECISION_RULE] = {"refused", "rule", "the rule is not in 'respond_to'", PICKET_REFUSED},
    [DECISION_NOT_LIVE] = {"refused", "not_live", "picket does not watch this machine now",
                           PICKET_REFUSED},
    [DECISION_FOREIGN] = {"refused", "other_machine", "it is another machine's", PICKET_REFUSED},
    [DECISION_NO_PROCESS] = {"refused", "no_process", "the alert does not say which it is",
                             PICKET_REFUSED},
    [DECISION_OLD] = {"refused", "too_old", "that was not within the last minute", PICKET_REFUSED},
    [DECISION_LIMIT] = {"refused", "limit", "there were as many as 'respond_limit' allows",
                        PICKET_REFUSED},
    [DECISION_INIT] = {"refused", "init", "process 1 is spared", PICKET_REFUSED},
    [DECISION_KERNEL] = {"refused", "kernel", "the kernel's threads are spared", PICKET_REFUSED},
    [DECISION_OWN] = {"refused", "picket", "picket's own processes are spared", PICKET_REFUSED},
};

static const enum decision judgements[] = {
    [RESPONDER_DONE] = DECISION_DONE,     [RESPONDER_GONE] = DECISION_ENDED,
    [RESPONDER_OTHER] = DECISION_OTHER,   [RESPONDER_INIT] = DECISION_INIT,
    [RESPONDER_KERNEL] = DECISION_KERNEL, [RESPONDER_OWN] = DECISION_OWN,
    [RESPONDER_LIMIT] = DECISION_LIMIT,
};

/* What is asked for, and all that there is to know about it. */
struct question {
    uint32_t measure; /* enum picket_measure */
    struct delivery_alert alert;
    json_t *tree; /* NULL: it is no JSON */
    const json_t *event;
    int64_t pid, start_time, time; /* of the event, since 1970 */
    bool names_process;
    int failure; /* why a measure failed, errno */
};

static void question_deinit(struct question *question)
{
    json_decref(question->tree);
}

static bool responds(const struct output *output)
{
    return output->info.needs & PICKET_NEEDS_RESPONSE;
}

static bool is_listed(const struct output *output, struct text rule)
{
    const struct settings *settings = &output->settings;

    for (size_t i = 0; i < settings->respond_to_count; i++)
        if (text_equal(settings->respond_to[i], rule))
            return true;
    return false;
}

bool response_takes(const struct output *output, struct text rule)
{
    return !responds(output) || is_listed(output, rule);
}

void response_begin(struct response *response)
{
    memset(response->asked, 0, sizeof response->asked);
}

void response_deinit(struct response *response)
{
    rate_limit_deinit(&response->signals);
    rate_limit_deinit(&response->told);
}

static void announce(const struct output *output)
{
    const struct settings *settings = &output->settings;
    size_t rules = settings->respond_to_count;

    if (settings->dry_run)
        log_info("output %s: dry run: no process is touched for its %zu rule%s", output->name,
                 rules, text_plural(rules));
    else
        log_info("output %s: stops or kills processes for %zu rule%s, at most %lld a minute",
                 output->name, rules, text_plural(rules), (long long)settings->respond_limit);
}

static int init(struct output *output)
{
    struct response *response = &output->response;
    int r = rate_limit_init(&response->signals, (size_t)output->settings.respond_limit, MINUTE);

    return r < 0 ? r : rate_limit_init(&response->told, RESPONSE_TOLD, RESPONSE_TOLD_WINDOW);
}

int response_start(struct output *outputs, size_t count, const struct response_options *options,
                   struct responder **out)
{
    struct responder_options responder = {.uid = options->uid, .gid = options->gid};
    bool needed = false;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!responds(&outputs[i]))
            continue;
        needed = true;
        if (!outputs[i].settings.dry_run)
            responder.limit += (size_t)outputs[i].settings.respond_limit;
        r = init(&outputs[i]);
        if (options->live)
            announce(&outputs[i]);
    }
    return r == 0 && needed && options->live ? responder_new(&responder, out) : r;
}

static bool read_time(const json_t *object, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) && time_parse(json_as_text(value), out) == 0;
}

static void read_alert(struct question *question)
{
    struct json_failure failure;

    if (json_parse(question->alert.json, &question->tree, &failure) < 0)
        question->tree = NULL;
    question->event = json_object_get(question->tree, "event");
    const json_t *pid = json_object_get(question->event, "pid");

    question->pid = json_integer_value(pid);
    question->names_process = json_is_integer(pid) &&
                              read_time(question->event, "start_time", &question->start_time) &&
                              read_time(question->event, "time", &question->time);
}

static bool is_recent(const struct question *question)
{
    int64_t age = clock_realtime() - question->time;

    return age <= RESPONSE_AGE_MAX && age >= -RESPONSE_AGE_MAX;
}

/* What can be said without a look at the process: DECISION_DONE, or why not. */
static enum decision judge(const struct output *output, const struct question *question)
{
    if (!is_listed(output, question->alert.rule))
        return DECISION_RULE;
    if (!output->group->responder)
        return DECISION_NOT_LIVE;
    if (json_object_get(question->tree, "engine"))
        return DECISION_FOREIGN;
    if (!question->names_process)
        return DECISION_NO_PROCESS;
    if (!is_recent(question))
        return DECISION_OLD;
    return rate_limit_allows(&output->response.signals, clock_monotonic()) ? DECISION_DONE
                                                                           : DECISION_LIMIT;
}

static enum decision act(struct output *output, struct question *question)
{
    const struct responder_target target = {.pid = question->pid,
                                            .start = question->start_time - clock_boot_offset()};
    bool dry = output->settings.dry_run;
    enum responder_action action = dry                                ? RESPONDER_LOOK
                                   : question->measure == PICKET_STOP ? RESPONDER_STOP
                                                                      : RESPONDER_KILL;
    enum responder_result result;
    int r = responder_act(output->group->responder, action, &target, &result);

    if (r < 0) {
        question->failure = -r;
        return DECISION_FAILED;
    }
    if (result != RESPONDER_DONE)
        return judgements[result];
    rate_limit_count(&output->response.signals, clock_monotonic());
    return dry ? DECISION_DRY_RUN : DECISION_DONE;
}

static struct text event_text(const struct question *question, const char *key)
{
    const json_t *value = json_object_get(question->event, key);

    return json_is_string(value) ? json_as_text(value) : (struct text){NULL, 0};
}

/* For people: "killed process 4711 (x) for rule tmp-binary". */
static void put_message(struct buffer *out, const struct question *question, enum decision decision)
{
    static const char *const verbs[][2] = {
        [PICKET_STOP] = {"stopped", "stop"}, [PICKET_KILL] = {"killed", "kill"}};
    struct text comm = event_text(question, "comm");
    const char *words =
        decision == DECISION_FAILED ? strerror(question->failure) : decisions[decision].words;

    if (decision == DECISION_DONE)
        buffer_put_string(out, verbs[question->measure][0]);
    else
        buffer_printf(out, "did not %s", verbs[question->measure][1]);
    if (question->names_process)
        buffer_printf(out, " process %lld", (long long)question->pid);
    else
        buffer_put_string(out, " any process");
    if (comm.ptr) {
        buffer_put_string(out, " (");
        buffer_put_printable(out, comm);
        buffer_put_char(out, ')');
    }
    buffer_put_string(out, " for rule ");
    buffer_put_printable(out, question->alert.rule);
    if (words)
        buffer_printf(out, ": %s", words);
}

static void put_member(struct json_writer *json, struct text key, struct text value)
{
    if (!value.ptr)
        return;
    json_key(json, key);
    json_text(json, value);
}

static void put_detail(struct buffer *out, const struct output *output,
                       const struct question *question, enum decision decision)
{
    struct json_writer json = {.buffer = out};
    const char *reason = decisions[decision].reason;

    json_begin(&json, '{');
    put_member(&json, TEXT("output"), text_from(output->name));
    put_member(&json, TEXT("measure"),
               question->measure == PICKET_STOP ? TEXT("stop") : TEXT("kill"));
    put_member(&json, TEXT("outcome"), text_from(decisions[decision].outcome));
    if (reason)
        put_member(&json, TEXT("reason"), text_from(reason));
    if (decision == DECISION_FAILED)
        put_member(&json, TEXT("error"), text_from(strerror(question->failure)));
    put_member(&json, TEXT("rule"), question->alert.rule);
    put_member(&json, TEXT("alert"), question->alert.id);
    if (question->names_process) {
        json_key(&json, TEXT("pid"));
        json_int(&json, question->pid);
        json_key(&json, TEXT("start_time"));
        json_time(&json, question->start_time);
    }
    put_member(&json, TEXT("comm"), event_text(question, "comm"));
    put_member(&json, TEXT("exe"), event_text(question, "exe"));
    json_end(&json, '}');
}

/* Whether it is told of by itself, or only counted. */
static bool may_tell(struct response *response, enum decision decision)
{
    int64_t now = clock_monotonic();

    if (decision == DECISION_DONE || decision == DECISION_DRY_RUN)
        return true;
    if (!rate_limit_allows(&response->told, now))
        return false;
    rate_limit_count(&response->told, now);
    return true;
}

static void tell(struct output *output, const struct question *question, enum decision decision)
{
    CLEANUP(buffer_deinit) struct buffer message = {0};
    CLEANUP(buffer_deinit) struct buffer detail = {0};

    if (!may_tell(&output->response, decision)) {
        news_add_refused(output->group->news, output->index, 1);
        return;
    }
    put_message(&message, question, decision);
    put_detail(&detail, output, question, decision);
    if (decision == DECISION_DONE || decision == DECISION_FAILED)
        log_warning("output %s: %s (alert %.*s)", output->name, buffer_string(&message),
                    TEXT_ARG(question->alert.id));
    else
        log_info("output %s: %s (alert %.*s)", output->name, buffer_string(&message),
                 TEXT_ARG(question->alert.id));
    news_add_response(output->group->news, output->index, buffer_string(&message),
                      buffer_string(&detail));
}

static int decide(struct output *output, size_t index, uint32_t measure)
{
    const struct queued_alert *queued = alert_queue_at(&output->queue, index);
    struct payload bytes = {.rest = queued_alert_bytes(queued)};
    CLEANUP(question_deinit) struct question question = {.measure = measure};

    if (alert_frame_read(&bytes, &question.alert) < 0)
        return -EPROTO;
    read_alert(&question);
    enum decision decision = judge(output, &question);

    if (decision == DECISION_DONE)
        decision = act(output, &question);
    tell(output, &question, decision);
    return decisions[decision].answer;
}

int response_answer(struct output *output, struct text payload)
{
    struct payload rest = {.rest = payload};
    struct buffer *out = &output->host.sending;
    int64_t batch = payload_i64(&rest);
    uint32_t index = payload_u32(&rest), measure = payload_u32(&rest);

    if (!payload_complete(&rest) || !responds(output) || batch != output->batch ||
        index >= output->sent || (measure != PICKET_STOP && measure != PICKET_KILL) ||
        host_process_has_to_send(&output->host))
        return -EPROTO;
    uint64_t *asked = &output->response.asked[index / 64];
    const uint64_t bit = UINT64_C(1) << index % 64;
    int answer = *asked & bit ? PICKET_REFUSED : decide(output, index, measure);

    *asked |= bit;
    size_t begin = frame_begin(out, FRAME_RESPONSE);

    payload_put_i64(out, answer);
    frame_end(out, begin);
    return 0;
}
