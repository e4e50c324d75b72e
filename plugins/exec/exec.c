/* Alerts to a program of the user's: started once for each, without a shell, the alert on its
 * standard input. Exit status 0 means that it has dealt with it. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "picket/plugin.h"
#include "program.h"

enum on_failure { ON_FAILURE_RETRY, ON_FAILURE_REJECT };

struct config {
    const char *const *command;
    const char *const *environment;
    int64_t timeout;
    int64_t pause;
    int on_failure;
};

static const struct picket_option options[] = {
    {.name = "command",
     .type = PICKET_STRINGS,
     .flags = PICKET_REQUIRED,
     .help = "absolute path of the program, and its arguments; there is no shell",
     .offset = offsetof(struct config, command)},
    {.name = "environment",
     .type = PICKET_STRINGS,
     .help = "variables it gets, NAME=value",
     .offset = offsetof(struct config, environment)},
    {.name = "timeout",
     .type = PICKET_DURATION,
     .value = "5s",
     .min = 1000000,
     .max = 3600 * INT64_C(1000000000),
     .help = "it is killed when it takes longer; a second less than the deadline at most",
     .offset = offsetof(struct config, timeout)},
    {.name = "on_failure",
     .type = PICKET_ENUM,
     .choices = "retry|reject",
     .value = "retry",
     .help = "what becomes of an alert whose program fails",
     .offset = offsetof(struct config, on_failure)},
    {.name = "pause",
     .type = PICKET_DURATION,
     .value = "10s",
     .min = 10000000,
     .max = 3600 * INT64_C(1000000000),
     .help = "how long until it is tried again",
     .offset = offsetof(struct config, pause)},
};

/* What a host needs beyond the program's timeout, to start it and to see it die. */
#define MARGIN INT64_C(1000000000)

/* The variables every program gets, but for those that the user gives. */
enum variable { VARIABLE_PATH, VARIABLE_ID, VARIABLE_RULE, VARIABLE_SEVERITY, VARIABLE_OUTPUT };
static const char *const variable_names[] = {"PATH", "PICKET_ALERT_ID", "PICKET_RULE_ID",
                                             "PICKET_SEVERITY", "PICKET_OUTPUT"};
#define VARIABLES     (sizeof variable_names / sizeof *variable_names)
#define VARIABLE_SIZE 512

struct exec {
    const struct picket_host *host;
    const struct config *config;
    char variables[VARIABLES][VARIABLE_SIZE];
    char **environment;
    char *input;
    char reason[256];
};

static long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static const char *severity_name(const struct picket_alert *alert)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};
    int known = alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL;

    return known ? names[alert->severity] : "unknown";
}

static void set_variable(struct exec *exec, enum variable variable, const char *value)
{
    snprintf(exec->variables[variable], VARIABLE_SIZE, "%s=%s", variable_names[variable], value);
}

static void run(struct exec *exec, const struct picket_alert *alert,
                struct program_outcome *outcome)
{
    const struct program program = {.arguments = exec->config->command,
                                    .environment = exec->environment,
                                    .input = exec->input,
                                    .input_len = alert->text_len + 1,
                                    .timeout = exec->config->timeout};

    memcpy(exec->input, alert->text, alert->text_len);
    exec->input[alert->text_len] = '\n';
    set_variable(exec, VARIABLE_ID, alert->id);
    set_variable(exec, VARIABLE_RULE, alert->rule);
    set_variable(exec, VARIABLE_SEVERITY, severity_name(alert));
    program_run(&program, outcome);
}

static void explain(struct exec *exec, const struct program_outcome *outcome)
{
    const char *path = exec->config->command[0];
    size_t size = sizeof exec->reason;

    if (outcome->end == PROGRAM_FAILED)
        snprintf(exec->reason, size, "%.150s: %s", path, strerror(outcome->status));
    else if (outcome->end == PROGRAM_LATE)
        snprintf(exec->reason, size, "%.150s took longer than its timeout", path);
    else if (outcome->end == PROGRAM_KILLED)
        snprintf(exec->reason, size, "%.150s was ended by signal %d", path, outcome->status);
    else
        snprintf(exec->reason, size, "%.150s: exit status %d", path, outcome->status);
}

static void retry(const struct exec *exec, struct picket_verdict *verdict)
{
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = (uint32_t)(exec->config->pause / 1000000);
}

/* Programs that know better than `on_failure` say so as those of mail do. That one cannot be
 * started says nothing about the alert. */
static bool is_hopeless(const struct exec *exec, const struct program_outcome *outcome)
{
    if (outcome->end == PROGRAM_FAILED)
        return false;
    if (outcome->end == PROGRAM_EXITED && outcome->status == EX_DATAERR)
        return true;
    if (outcome->end == PROGRAM_EXITED && outcome->status == EX_TEMPFAIL)
        return false;
    return exec->config->on_failure == ON_FAILURE_REJECT;
}

static void judge(struct exec *exec, const struct program_outcome *outcome,
                  struct picket_verdict *verdict)
{
    explain(exec, outcome);
    verdict->reason = exec->reason;
    if (is_hopeless(exec, outcome))
        verdict->action = PICKET_REJECT;
    else
        retry(exec, verdict);
}

static void deliver_one(struct exec *exec, const struct picket_alert *alert,
                        struct picket_verdict *verdict)
{
    struct program_outcome outcome = {0};

    exec->input = malloc(alert->text_len + 1);
    if (!exec->input) {
        verdict->reason = "out of memory";
        retry(exec, verdict);
        return;
    }
    run(exec, alert, &outcome);
    free(exec->input);
    if (outcome.end == PROGRAM_EXITED && outcome.status == 0)
        verdict->delivered++;
    else
        judge(exec, &outcome, verdict);
}

/* Another one is begun only if it could take all of its time. */
static void exec_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct exec *exec = instance;
    long long last = now_ns() + exec->host->deadline - exec->config->timeout - MARGIN;

    do
        deliver_one(exec, alerts[verdict->delivered], verdict);
    while (verdict->action == PICKET_OK && verdict->delivered < count && now_ns() < last);
}

/* NULL, or what the user must put right. */
static const char *find_mistake(const struct picket_host *host, const struct config *config)
{
    if (!config->command[0] || config->command[0][0] != '/')
        return "its 'command' does not begin with an absolute path";
    if (access(config->command[0], X_OK) < 0)
        return "its 'command' is no program that the user outputs run as may run";
    if (config->timeout > host->deadline - MARGIN)
        return "its 'deadline' has to be a second more than its 'timeout'";
    for (size_t i = 0; config->environment[i]; i++)
        if (!strchr(config->environment[i], '=') || config->environment[i][0] == '=')
            return "its 'environment' has something that is not NAME=value";
    return NULL;
}

static int is_given(const char *const *given, const char *name)
{
    size_t len = strlen(name);

    for (; *given; given++)
        if (strncmp(*given, name, len) == 0 && (*given)[len] == '=')
            return 1;
    return 0;
}

static int make_environment(struct exec *exec)
{
    const char *const *given = exec->config->environment;
    size_t count = 0;

    while (given[count])
        count++;
    exec->environment = calloc(count + VARIABLES + 1, sizeof *exec->environment);
    if (!exec->environment)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        exec->environment[i] = (char *)given[i];
    for (size_t i = 0; i < VARIABLES; i++)
        if (!is_given(given, variable_names[i]))
            exec->environment[count++] = exec->variables[i];
    set_variable(exec, VARIABLE_PATH, "/usr/local/bin:/usr/bin:/bin");
    set_variable(exec, VARIABLE_OUTPUT, exec->host->output);
    return 0;
}

static void block_child_signal(void)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
}

static void exec_close(void *instance)
{
    struct exec *exec = instance;

    free(exec->environment);
    free(exec);
}

static int exec_open(const struct picket_host *host, const void *config, void **instance)
{
    const char *mistake = find_mistake(host, config);
    struct exec *exec = mistake ? NULL : calloc(1, sizeof *exec);

    if (!exec) {
        host->log(host, PICKET_LOG_ERROR, mistake ? mistake : "out of memory");
        return -1;
    }
    exec->host = host;
    exec->config = config;
    if (make_environment(exec) < 0) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        exec_close(exec);
        return -1;
    }
    block_child_signal();
    *instance = exec;
    return 0;
}

/* Who is told of an alert is mostly not on this machine: what is started may use the network. */
const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_PROGRAMS | PICKET_NEEDS_NETWORK,
    .name = "exec",
    .version = "1.0",
    .help = "starts a program for each alert, with the alert on its standard input",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = 64,
    .open = exec_open,
    .deliver = exec_deliver,
    .close = exec_close,
};
