#include "output/delivery_startup.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "output/delivery_thread.h"

/* Whether every output has come as far as it can without the others: to where it may open its
 * plugin, or to where it has; or to its end. */
static bool all_settled(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        if (output->phase != OUTPUT_ENDED && !output->was_ready &&
            !(delivery->group.hold && output->phase == OUTPUT_CHECKED))
            return false;
    }
    return true;
}

/* Its launches, as of now. */
static void put_launches(const struct delivery *delivery, struct host_launch *out)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        out[i] = (struct host_launch){.name = output->name,
                                      .path = output->path,
                                      .module = output->module,
                                      .memory = output->settings.memory,
                                      .deadline = output->settings.deadline,
                                      .tool = delivery->startup.tool,
                                      .uid = output->user.uid,
                                      .gid = output->user.gid};
    }
}

/* They may not be watched twice: the first that goes is the end of all. */
static int watch_launchers(struct delivery *delivery, size_t first)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
                                .data.u64 = DELIVERY_LAUNCHER_EVENT};
    const struct launcher_set *set = &delivery->group.launchers;

    for (size_t i = first; i < set->count; i++)
        if (epoll_ctl(delivery->group.epoll, EPOLL_CTL_ADD, set->launchers[i].broker.pidfd,
                      &event) < 0)
            return -errno;
    return 0;
}

static void tell_of_isolation(const struct delivery *delivery)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};
    const struct launcher_set *set = &delivery->group.launchers;

    if (!set->lacking)
        return;
    buffer_put_string(&line, "outputs get no view of their own of: ");
    isolation_put(set->lacking, &line);
    buffer_put_string(&line, " (this kernel or container, or the lack of root, forbids it)");
    if (geteuid() == 0 && delivery->startup.live)
        log_warning("%s", buffer_string(&line));
    else
        log_debug("%s", buffer_string(&line));
}

/* Now that their needs are known: hosts that have any are started anew, where they get that. */
static int divide_hosts(struct delivery *delivery)
{
    struct launcher_set *set = &delivery->group.launchers;
    struct host_launch launches[DELIVERY_OUTPUTS_MAX];
    uint32_t needs[DELIVERY_OUTPUTS_MAX] = {0};
    size_t before = set->count;
    const struct launcher_options options = {.launches = launches,
                                             .count = delivery->count,
                                             .uid = delivery->startup.uid,
                                             .gid = delivery->startup.gid};

    const struct response_options response = {
        .live = delivery->startup.live, .uid = delivery->startup.uid, .gid = delivery->startup.gid};

    put_launches(delivery, launches);
    for (size_t i = 0; i < delivery->count; i++)
        needs[i] = delivery->outputs[i].info.needs & ~(uint32_t)PICKET_NEEDS_RESPONSE;
    int r = launcher_set_divide(set, &options, needs);

    if (r == 0)
        r = watch_launchers(delivery, before);
    for (size_t i = 0; r == 0 && i < delivery->count; i++)
        if (needs[i])
            output_move(&delivery->outputs[i]);
    tell_of_isolation(delivery);
    if (r == 0)
        r = file_keeper_start(&delivery->group.keeper, delivery->outputs, delivery->count,
                              delivery->startup.uid, delivery->startup.gid);
    return r < 0 ? r
                 : response_start(delivery->outputs, delivery->count, &response,
                                  &delivery->group.responder);
}

/* All plugins are asked for their tables before any is opened, so that a mistake in the last
 * output's options leaves no trace of the first. */
void delivery_startup_step(struct delivery *delivery)
{
    struct diag_list *diags = delivery->group.diags;

    if (!diags || !all_settled(delivery))
        return;
    if (diags->errors != delivery->startup.errors) {
        delivery->startup.state = START_FAILED;
    } else if (delivery->group.hold) {
        delivery->group.hold = false;
        delivery->startup.failure = divide_hosts(delivery);
        if (delivery->startup.failure < 0)
            delivery->startup.state = START_FAILED;
        delivery_thread_wake(delivery);
    } else {
        delivery->group.diags = NULL;
        delivery->startup.state = START_DONE;
    }
}

static void check_names(const struct delivery_options *options, struct diag_list *diags)
{
    for (size_t i = 0; i < options->output_count; i++)
        for (size_t k = 0; k < i; k++) {
            struct text name = output_config_name(&options->outputs[i]);

            if (!text_equal(name, output_config_name(&options->outputs[k])))
                continue;
            diag_error(diags, options->outputs[i].mark, "duplicate-output",
                       "there is an output '%.*s' already: give one another name, as in name=%.*s2",
                       TEXT_ARG(name), TEXT_ARG(name));
            break;
        }
}

static uint32_t somebody(uint32_t id)
{
    return id ? id : LAUNCHER_NOBODY;
}

static int init_outputs(struct delivery *delivery, const struct delivery_options *options,
                        struct diag_list *diags)
{
    size_t count = options->output_count;

    if (count > DELIVERY_OUTPUTS_MAX) {
        diag_error(diags, options->outputs[DELIVERY_OUTPUTS_MAX].mark, "too-many-outputs",
                   "there can be %d outputs", DELIVERY_OUTPUTS_MAX);
        return -EINVAL;
    }
    check_names(options, diags);
    delivery->outputs = calloc(count ? count : 1, sizeof *delivery->outputs);
    if (!delivery->outputs)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct output *output = &delivery->outputs[i];

        *output = (struct output){.group = &delivery->group,
                                  .index = i,
                                  .config = &options->outputs[i],
                                  .user = {somebody(options->uid), somebody(options->gid)},
                                  .module = -1,
                                  .host = HOST_PROCESS_NONE};
        delivery->count++;
        int r = output_init(output, options->plugin_dir);

        if (r < 0)
            return r;
        if (output->settings.forwards)
            delivery->forwarding |= UINT64_C(1) << i;
    }
    return 0;
}

/* The journal lets its owner's group read, too. */
static void warn_of_readers(const struct delivery *delivery)
{
    CLEANUP(buffer_deinit) struct buffer names = {0};

    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        if (output->user.uid == delivery->startup.uid || output->user.gid == delivery->startup.gid)
            buffer_printf(&names, "%s%s", names.len ? ", " : "", output->name);
    }
    if (names.len)
        log_warning("outputs run as the engine's own user, or in its group, and may read its "
                    "journal (%s): make a user 'picket', or name another by 'user' or, for an "
                    "output, by 'run_as'",
                    buffer_string(&names));
}

/* It is forked with the outputs as they are now: nobody tells it of others. */
static int init_launcher(struct delivery *delivery, const struct delivery_options *options)
{
    struct host_launch launches[DELIVERY_OUTPUTS_MAX];

    delivery->startup.uid = somebody(options->launcher_uid);
    delivery->startup.gid = somebody(options->launcher_gid);
    delivery->startup.tool = options->tool;
    delivery->group.unconfined = options->tool != NULL;
    delivery->startup.live = options->live;
    if (options->journal && geteuid() == 0)
        warn_of_readers(delivery);
    put_launches(delivery, launches);
    const struct launcher_options launcher = {.launches = launches,
                                              .count = delivery->count,
                                              .uid = delivery->startup.uid,
                                              .gid = delivery->startup.gid};
    int r = delivery->count ? launcher_set_start(&delivery->group.launchers, &launcher) : 0;

    return r < 0 ? r : watch_launchers(delivery, 0);
}

int delivery_startup_init(struct delivery *delivery, const struct delivery_options *options,
                          struct diag_list *diags)
{
    delivery->startup.errors = diags->errors;
    delivery->group.diags = diags;
    delivery->group.hold = true;
    int r = init_outputs(delivery, options, diags);

    return r < 0 ? r : init_launcher(delivery, options);
}
