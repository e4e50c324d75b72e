#include "records.h"

#include <pwd.h>

#include "base/clock.h"

#define SECOND        NS_PER_S
#define ARGV(literal) TEXT(literal "\0")

static const struct identity nobody = {0, 0};
static const struct identity init = {1, 10 * NS_PER_MS};
static const struct identity shell = {100, 5 * SECOND};
static const struct identity child = {200, 6 * SECOND};
static const struct identity grandchild = {300, 7 * SECOND};

static int set_up(void **state)
{
    struct process_table_options options = {.proc = empty_proc()};
    struct process_table *table;

    if (process_table_new(&options, &table) < 0)
        return -1;
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    process_table_free(*state);
    return 0;
}

static void apply(struct process_table *table, const struct record *record, struct event *event)
{
    assert_int_equal(process_table_apply(table, record, event), 0);
}

static void exec_at(struct process_table *table, struct identity self, struct identity parent,
                    int64_t when, const char *exe)
{
    struct record record = record_of(EVENT_EXEC, self, parent, when);
    struct event event;

    record_set_image(&record, exe, ARGV("x"));
    apply(table, &record, &event);
}

static void fork_at(struct process_table *table, struct identity self, struct identity parent,
                    int64_t when)
{
    struct record record = record_of(EVENT_FORK, self, parent, when);
    struct event event;

    apply(table, &record, &event);
}

static void exit_at(struct process_table *table, struct identity self, int64_t when)
{
    struct record record = record_of(EVENT_EXIT, self, nobody, when);
    struct event event;

    field_set_remove(&record.process.has, FIELD_PPID);
    apply(table, &record, &event);
}

static struct process_table_counters count(const struct process_table *table)
{
    struct process_table_counters counters;

    process_table_count(table, &counters);
    return counters;
}

static void exec_event_has_the_records_fields_and_the_tables(void **state)
{
    struct record record = record_of(EVENT_EXEC, shell, init, 6 * SECOND);
    struct event event;
    int64_t offset = clock_boot_offset();

    record.cpu = 3;
    record.sequence = 42;
    record_set_image(&record, "/bin/sh", ARGV("sh\0-c\0id"));
    SET_TEXT(&record.process, CMDLINE, cmdline, "sh -c id");
    SET(&record.process, ARGC, argc, 3);
    SET(&record.process, UID, uid, 0);
    SET(&record.process, EXE_SETUID, exe_setuid, true);
    apply(*state, &record, &event);

    const struct process *process = event.process;

    assert_int_equal(event.type, EVENT_EXEC);
    assert_text(event.type_name, "exec");
    assert_int_equal(event.retval, 0);
    assert_true(field_set_has(&event.has, FIELD_RETVAL));
    assert_false(event.is_exit);
    assert_true(field_set_has(&event.has, FIELD_IS_EXIT));
    assert_false(field_set_has(&event.has, FIELD_ERROR));
    assert_false(field_set_has(&event.has, FIELD_EXIT_CODE));
    assert_false(field_set_has(&event.has, FIELD_DURATION));
    assert_in_range(event.time - 6 * SECOND - offset + SECOND, 0, 2 * SECOND);
    assert_int_equal(event.time - process->start_time, SECOND);
    assert_int_equal(event.origin[0], 0);
    assert_int_equal(event.origin[1], 3);
    assert_int_equal(event.origin[2], 42);
    assert_null(event.meta);
    assert_int_equal(process->pid, 100);
    assert_int_equal(process->ppid, 1);
    assert_text(process->exe, "/bin/sh");
    assert_text(process->comm, "sh");
    assert_int_equal(process->argv.len, 9);
    assert_memory_equal(process->argv.ptr, "sh\0-c\0id", 9);
    assert_text(process->cmdline, "sh -c id");
    assert_int_equal(process->argc, 3);
    assert_true(process->exe_setuid);
    assert_text(process->user, "root");
    assert_true(has(process, FIELD_START_TIME));
    assert_false(has(process, FIELD_CWD));
    assert_null(process->parent);
    assert_int_equal(count(*state).unknown_parents, 1);
}

static void a_forked_child_runs_its_parents_image_until_it_execs(void **state)
{
    struct record fork = record_of(EVENT_FORK, child, shell, 6 * SECOND);
    struct record exec = record_of(EVENT_EXEC, child, shell, 6 * SECOND + 1);
    struct record own = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct event event;

    record_set_image(&own, "/bin/sh", ARGV("sh"));
    SET_TEXT(&own.process, INTERPRETER, interpreter, "/bin/env");
    SET_TEXT(&own.process, CWD, cwd, "root");
    SET(&own.process, CWD_TRUNCATED, cwd_truncated, true);
    SET(&own.process, FILENAME_TRUNCATED, filename_truncated, true);
    SET(&own.process, EXE_INODE, exe_inode, 77);
    apply(*state, &own, &event);
    SET_TEXT(&fork.process, COMM, comm, "renamed");
    apply(*state, &fork, &event);
    assert_int_equal(event.type, EVENT_FORK);
    assert_text(event.process->exe, "/bin/sh");
    assert_text(event.process->comm, "renamed");
    assert_int_equal(event.process->pid, 200);
    assert_int_equal(event.process->ppid, 100);
    assert_int_equal(event.process->exe_inode, 77);
    assert_true(has(event.process, FIELD_CWD_TRUNCATED) && event.process->cwd_truncated);
    assert_true(has(event.process, FIELD_FILENAME_TRUNCATED));
    assert_true(event.process->filename_truncated);
    assert_text(event.process->parent->comm, "sh");
    assert_int_equal(event.process->start_time - event.process->parent->start_time, SECOND);

    record_set_image(&exec, "/bin/id", ARGV("id\0-u"));
    apply(*state, &exec, &event);
    assert_text(event.process->exe, "/bin/id");
    assert_text(event.process->cwd, "root");
    assert_true(has(event.process, FIELD_CWD_TRUNCATED) && event.process->cwd_truncated);
    assert_false(has(event.process, FIELD_FILENAME_TRUNCATED));
    assert_false(has(event.process, FIELD_INTERPRETER));
    assert_false(has(event.process, FIELD_EXE_INODE));
    assert_text(event.process->parent->exe, "/bin/sh");
    assert_text(event.process->parent->interpreter, "/bin/env");
    SET_TEXT(&exec.process, CWD, cwd, "/");
    SET(&exec.process, CWD_TRUNCATED, cwd_truncated, false);
    apply(*state, &exec, &event);
    assert_text(event.process->cwd, "/");
    assert_false(event.process->cwd_truncated);
}

static void the_terminal_is_what_the_last_record_says(void **state)
{
    struct record record = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct event event;

    SET_TEXT(&record.process, TTY, tty, "pts/0");
    apply(*state, &record, &event);
    assert_text(event.process->tty, "pts/0");
    exit_at(*state, child, 6 * SECOND);
    record = record_of(EVENT_EXEC, shell, init, 6 * SECOND);
    apply(*state, &record, &event);
    assert_false(has(event.process, FIELD_TTY));
}

static void a_failed_exec_shows_the_caller_and_the_attempt(void **state)
{
    struct record own = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record failed = record_of(EVENT_EXEC_FAILED, shell, init, 6 * SECOND);
    struct event event;

    record_set_image(&own, "/bin/sh", ARGV("sh"));
    SET_TEXT(&own.process, CMDLINE, cmdline, "sh");
    SET_TEXT(&own.process, INTERPRETER, interpreter, "/bin/env");
    apply(*state, &own, &event);
    failed.retval = -ENOENT;
    SET_TEXT(&failed.process, FILENAME, filename, "/nowhere");
    SET(&failed.process, FILENAME_TRUNCATED, filename_truncated, true);
    SET(&failed.process, ARGV, argv, ARGV("nowhere\0now"));
    SET(&failed.process, ARGC, argc, 2);
    SET(&failed.process, UID, uid, 4000000000);
    apply(*state, &failed, &event);
    assert_text(event.type_name, "exec_failed");
    assert_int_equal(event.retval, -ENOENT);
    assert_text(event.error, "ENOENT");
    assert_text(event.process->exe, "/bin/sh");
    assert_text(event.process->comm, "sh");
    assert_text(event.process->filename, "/nowhere");
    assert_true(has(event.process, FIELD_FILENAME_TRUNCATED));
    assert_true(event.process->filename_truncated);
    assert_int_equal(event.process->argc, 2);
    assert_int_equal(event.process->argv.len, 12);
    assert_false(has(event.process, FIELD_CMDLINE));
    assert_false(has(event.process, FIELD_INTERPRETER));
    assert_int_equal(event.process->uid, 4000000000);
    assert_false(has(event.process, FIELD_USER));

    const struct process *after = process_table_find(*state, shell);

    assert_text(after->filename, "/bin/sh");
    assert_false(has(after, FIELD_FILENAME_TRUNCATED));
    assert_text(after->cmdline, "sh");
    assert_text(after->interpreter, "/bin/env");
    assert_int_equal(after->uid, 4000000000);
    failed.retval = -99999;
    apply(*state, &failed, &event);
    assert_false(field_set_has(&event.has, FIELD_ERROR));
}

static void an_exit_tells_code_or_signal_and_the_time_lived(void **state)
{
    struct record exit = record_of(EVENT_EXIT, shell, init, 8 * SECOND);
    struct event event;

    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    exit.exit_status = 3 << 8;
    apply(*state, &exit, &event);
    assert_true(event.is_exit);
    assert_int_equal(event.retval, 3);
    assert_int_equal(event.exit_code, 3);
    assert_true(field_set_has(&event.has, FIELD_EXIT_CODE));
    assert_false(field_set_has(&event.has, FIELD_EXIT_SIGNAL));
    assert_int_equal(event.duration, 3 * SECOND);
    assert_text(event.process->exe, "/bin/sh");

    exit = record_of(EVENT_EXIT, child, shell, 8 * SECOND);
    exit.exit_status = 11 | 0x80; /* killed, with a core dump */
    apply(*state, &exit, &event);
    assert_int_equal(event.exit_signal, 11);
    assert_true(field_set_has(&event.has, FIELD_EXIT_SIGNAL));
    assert_false(field_set_has(&event.has, FIELD_EXIT_CODE));
    assert_int_equal(event.retval, 0);
    assert_text(event.process->parent->exe, "/bin/sh");
    assert_int_equal(count(*state).live, 0);
    assert_int_equal(count(*state).exited, 2);
}

static void a_repeated_exit_is_no_event(void **state)
{
    struct record exit = record_of(EVENT_EXIT, shell, init, 8 * SECOND);
    struct event event = {.retval = 12345};

    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    exit_at(*state, shell, 8 * SECOND);
    assert_int_equal(process_table_apply(*state, &exit, &event), -EALREADY);
    assert_int_equal(event.retval, 12345);
    assert_int_equal(count(*state).duplicates, 1);
    assert_int_equal(count(*state).exited, 1);
}

static void a_record_of_nobody_is_refused(void **state)
{
    struct record record = record_of(EVENT_EXEC, nobody, init, SECOND);
    struct event event;

    assert_int_equal(process_table_apply(*state, &record, &event), -EINVAL);
    assert_int_equal(count(*state).live, 0);
}

static void the_parent_that_forked_stays_when_it_exits_first(void **state)
{
    struct record exec = record_of(EVENT_EXEC, grandchild, init, 9 * SECOND);
    struct event event;

    exec_at(*state, init, nobody, SECOND, "/sbin/init");
    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    fork_at(*state, child, shell, 6 * SECOND);
    fork_at(*state, grandchild, child, 7 * SECOND);
    exit_at(*state, child, 8 * SECOND);
    record_set_image(&exec, "/usr/bin/daemon", ARGV("daemon"));
    apply(*state, &exec, &event);
    assert_int_equal(event.process->ppid, 1);
    assert_int_equal(event.process->parent->pid, 200);
    assert_text(event.process->parent->exe, "/bin/sh");
    assert_int_equal(event.process->parent->parent->pid, 100);
    assert_text(event.process->parent->parent->parent->exe, "/sbin/init");
    assert_null(event.process->parent->parent->parent->parent);
}

/* With CLONE_PARENT the kernel makes its maker's parent the parent. */
static void who_made_a_process_is_its_parent(void **state)
{
    struct record fork = record_of(EVENT_FORK, grandchild, shell, 7 * SECOND);
    struct event event;

    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    fork_at(*state, child, shell, 6 * SECOND);
    exec_at(*state, child, shell, 6 * SECOND + 1, "/bin/evil");
    fork.creator = child;
    apply(*state, &fork, &event);
    assert_text(event.process->exe, "/bin/evil");
    assert_int_equal(event.process->ppid, shell.pid);
    assert_int_equal(event.process->parent->pid, child.pid);
    exec_at(*state, grandchild, shell, 8 * SECOND, "/bin/id");
    assert_int_equal(process_table_find(*state, grandchild)->parent->pid, child.pid);
}

static void a_late_fork_corrects_the_parent_and_nothing_else(void **state)
{
    struct record fork = record_of(EVENT_FORK, child, shell, 6 * SECOND);
    struct event event;

    exec_at(*state, init, nobody, SECOND, "/sbin/init");
    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    exec_at(*state, child, init, 7 * SECOND, "/bin/id");
    assert_int_equal(process_table_find(*state, child)->parent->pid, 1);
    SET_TEXT(&fork.process, COMM, comm, "sh");
    apply(*state, &fork, &event);
    assert_text(event.process->exe, "/bin/id");
    assert_text(event.process->comm, "id");
    assert_int_equal(event.process->parent->pid, 100);
    exec_at(*state, child, init, 8 * SECOND, "/bin/id2");
    assert_int_equal(process_table_find(*state, child)->parent->pid, 100);
}

static void parents_never_form_a_ring(void **state)
{
    exec_at(*state, shell, nobody, 5 * SECOND, "/bin/a");
    exec_at(*state, child, shell, 6 * SECOND, "/bin/b");
    exec_at(*state, grandchild, child, 7 * SECOND, "/bin/c");
    fork_at(*state, shell, grandchild, 8 * SECOND);
    fork_at(*state, init, init, 9 * SECOND);
    assert_null(process_table_find(*state, shell)->parent);
    assert_null(process_table_find(*state, init)->parent);
    assert_int_equal(process_table_find(*state, grandchild)->parent->parent->pid, 100);
}

static void a_pid_used_again_is_another_process(void **state)
{
    struct identity again = {shell.pid, shell.start + 1};
    struct identity later = {shell.pid, shell.start + 60 * SECOND};

    exec_at(*state, shell, nobody, 5 * SECOND, "/bin/first");
    exec_at(*state, child, shell, 6 * SECOND, "/bin/of-first");
    exec_at(*state, again, nobody, 7 * SECOND, "/bin/second");
    exec_at(*state, later, nobody, 66 * SECOND, "/bin/third");
    exec_at(*state, grandchild, again, 67 * SECOND, "/bin/of-second");
    assert_text(process_table_find(*state, shell)->exe, "/bin/first");
    assert_text(process_table_find(*state, again)->exe, "/bin/second");
    assert_text(process_table_find(*state, later)->exe, "/bin/third");
    assert_text(process_table_find(*state, child)->parent->exe, "/bin/first");
    assert_text(process_table_find(*state, grandchild)->parent->exe, "/bin/second");
    exit_at(*state, again, 68 * SECOND);
    assert_int_equal(count(*state).exited, 1);
    assert_null(process_table_find(*state, (struct identity){shell.pid, shell.start + 2}));
}

static void long_arguments_are_whole_in_their_event_and_cut_after(void **state)
{
    CLEANUP(buffer_deinit) struct buffer argv = {0};
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record exit = record_of(EVENT_EXIT, shell, init, 6 * SECOND);
    struct event event;

    buffer_put(&argv, "sh", 3);
    while (argv.len < 9000)
        buffer_put_string(&argv, "\xc3\xa4"); /* the cut falls inside of one */
    buffer_put_char(&argv, '\0');
    record_set_image(&exec, "/bin/sh", buffer_text(&argv));
    SET(&exec.process, CMDLINE, cmdline, ((struct text){argv.data + 3, argv.len - 4}));
    SET(&exec.process, CMDLINE_LENGTH, cmdline_length, (int64_t)argv.len - 1);
    SET(&exec.process, CMDLINE_TRUNCATED, cmdline_truncated, false);
    SET(&exec.process, ARGC, argc, 2);
    apply(*state, &exec, &event);
    assert_int_equal(event.process->argv.len, argv.len);
    assert_int_equal(event.process->cmdline.len, argv.len - 4);
    assert_false(event.process->cmdline_truncated);
    apply(*state, &exit, &event);
    assert_in_range(event.process->argv.len, 4090, 4096);
    assert_int_equal(event.process->argv.ptr[event.process->argv.len - 1], 0);
    assert_in_range(event.process->cmdline.len, 4090, 4096);
    assert_true(text_is_utf8(event.process->argv));
    assert_true(text_is_utf8(event.process->cmdline));
    assert_true(event.process->cmdline_truncated);
    assert_int_equal(event.process->cmdline_length, argv.len - 1);
    assert_int_equal(event.process->argc, 2);
}

static void a_long_environment_is_whole_in_its_event_and_cut_after(void **state)
{
    CLEANUP(buffer_deinit) struct buffer env = {0};
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record failed = record_of(EVENT_EXEC_FAILED, shell, init, 6 * SECOND);
    struct event event;

    buffer_put_string(&env, "LD_PRELOAD=");
    while (env.len < 9000)
        buffer_put_char(&env, 'x');
    buffer_put_char(&env, '\0');
    record_set_image(&exec, "/bin/sh", ARGV("sh"));
    SET(&exec.process, ENV, env, buffer_text(&env));
    SET(&exec.process, ENV_LENGTH, env_length, (int64_t)env.len);
    SET(&exec.process, ENV_TRUNCATED, env_truncated, false);
    apply(*state, &exec, &event);
    assert_int_equal(event.process->env.len, env.len);
    assert_false(event.process->env_truncated);
    apply(*state, &failed, &event); /* the caller's environment is still there */
    assert_int_equal(event.process->env.len, 4096);
    assert_true(event.process->env_truncated);
    assert_int_equal(event.process->env_length, env.len);
}

/* What a process may change between two execs comes with every record; the rest is the exec's. */
static void credentials_follow_every_record(void **state)
{
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record fork = record_of(EVENT_FORK, child, shell, 6 * SECOND);
    struct record exit = record_of(EVENT_EXIT, child, shell, 7 * SECOND);
    struct event event;

    record_set_image(&exec, "/bin/sh", ARGV("sh"));
    SET(&exec.process, CAP_EFFECTIVE, cap_effective, 7);
    SET(&exec.process, SID, sid, 100);
    SET(&exec.process, VPID, vpid, 9);
    SET(&exec.process, NS_NET, ns_net, 11);
    SET_TEXT(&exec.process, STDIN, stdin, "inet");
    apply(*state, &exec, &event);
    assert_int_equal(event.process->vpid, 9);
    SET(&fork.process, CAP_EFFECTIVE, cap_effective, 7);
    apply(*state, &fork, &event);
    assert_text(event.process->stdin, "inet");
    assert_int_equal(event.process->ns_net, 11);
    assert_int_equal(event.process->sid, 100);
    assert_false(has(event.process, FIELD_VPID)); /* that was its parent's */
    SET(&exit.process, CAP_EFFECTIVE, cap_effective, 0);
    SET(&exit.process, SID, sid, 200);
    apply(*state, &exit, &event);
    assert_int_equal(event.process->cap_effective, 0);
    assert_int_equal(event.process->sid, 200);
}

static void a_move_makes_the_cgroups_path_unknown(void **state)
{
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record failed = record_of(EVENT_EXEC_FAILED, shell, init, 6 * SECOND);
    struct event event;

    record_set_image(&exec, "/bin/sh", ARGV("sh"));
    SET(&exec.process, CGROUP_ID, cgroup_id, 5);
    SET_TEXT(&exec.process, CGROUP_PATH, cgroup_path, "/lxc/web");
    SET_TEXT(&exec.process, CONTAINER_ID, container_id, "web");
    SET_TEXT(&exec.process, CONTAINER_RUNTIME, container_runtime, "lxc");
    apply(*state, &exec, &event);
    SET(&failed.process, CGROUP_ID, cgroup_id, 5);
    apply(*state, &failed, &event);
    assert_text(event.process->cgroup_path, "/lxc/web");
    assert_text(event.process->container_id, "web");
    SET(&failed.process, CGROUP_ID, cgroup_id, 6);
    apply(*state, &failed, &event);
    assert_int_equal(event.process->cgroup_id, 6);
    assert_false(has(event.process, FIELD_CGROUP_PATH) || has(event.process, FIELD_CONTAINER_ID));
    assert_false(has(event.process, FIELD_CONTAINER_RUNTIME));
}

static void the_age_of_an_executable_is_never_negative(void **state)
{
    struct record exec = record_of(EVENT_EXEC, shell, init, 9 * SECOND);
    struct event event;
    int64_t now = 9 * SECOND + clock_boot_offset();

    record_set_image(&exec, "/bin/sh", ARGV("sh"));
    apply(*state, &exec, &event);
    assert_false(has(event.process, FIELD_EXE_AGE));
    SET(&exec.process, EXE_CTIME, exe_ctime, now - 2 * SECOND);
    apply(*state, &exec, &event);
    assert_in_range(event.process->exe_age, SECOND, 3 * SECOND);
    SET(&exec.process, EXE_CTIME, exe_ctime, now + 60 * SECOND);
    apply(*state, &exec, &event);
    assert_int_equal(event.process->exe_age, 0);
    SET(&exec.process, EXE_CTIME, exe_ctime, INT64_MIN);
    apply(*state, &exec, &event);
    assert_int_equal(event.process->exe_age, INT64_MAX);
}

static const char *name_of(uid_t uid)
{
    const struct passwd *user = getpwuid(uid);

    assert_non_null(user);
    return user->pw_name;
}

static void every_number_has_its_name(void **state)
{
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct record exit = record_of(EVENT_EXIT, shell, init, 6 * SECOND);
    struct event event;

    record_set_image(&exec, "/bin/sh", ARGV("sh"));
    SET(&exec.process, UID, uid, 0);
    SET(&exec.process, EUID, euid, 2);
    SET(&exec.process, GID, gid, 0);
    SET(&exec.process, LOGINUID, loginuid, 4294967295);
    SET(&exec.process, EXE_UID, exe_uid, 1);
    apply(*state, &exec, &event);
    assert_text(event.process->user, "root");
    assert_text(event.process->euser, name_of(2));
    assert_text(event.process->group, "root");
    assert_text(event.process->exe_owner, name_of(1));
    assert_false(has(event.process, FIELD_LOGINUSER));
    SET(&exit.process, UID, uid, 4294967294);
    SET(&exit.process, EUID, euid, 1);
    SET(&exit.process, LOGINUID, loginuid, 0);
    apply(*state, &exit, &event);
    assert_false(has(event.process, FIELD_USER));
    assert_text(event.process->euser, name_of(1));
    assert_text(event.process->loginuser, "root");
    assert_text(event.process->exe_owner, name_of(1));
}

/* Of what a filter leaves out only the line of descent is kept. */
static void a_filtered_program_makes_no_events_but_ancestors(void **state)
{
    struct record filtered = record_of(EVENT_EXEC, shell, init, 6 * SECOND);
    struct record failed = record_of(EVENT_EXEC_FAILED, shell, init, 7 * SECOND);
    struct record of_child = record_of(EVENT_EXEC_FAILED, child, shell, 8 * SECOND);
    struct record exit = record_of(EVENT_EXIT, shell, init, 9 * SECOND);
    struct event event;

    exec_at(*state, shell, init, 5 * SECOND, "/bin/sh");
    filtered.filtered = true;
    assert_int_equal(process_table_apply(*state, &filtered, &event), -ECANCELED);
    assert_int_equal(process_table_apply(*state, &failed, &event), -ECANCELED);
    fork_at(*state, child, shell, 7 * SECOND);
    apply(*state, &of_child, &event);
    assert_false(has(event.process, FIELD_EXE) || has(event.process, FIELD_COMM));
    assert_int_equal(event.process->parent->pid, shell.pid);
    assert_false(has(event.process->parent, FIELD_EXE));
    assert_true(has(event.process->parent, FIELD_START_TIME));
    exec_at(*state, child, shell, 8 * SECOND, "/bin/id");
    assert_int_equal(process_table_apply(*state, &exit, &event), -ECANCELED);
    assert_int_equal(count(*state).exited, 1);
    assert_int_equal(process_table_apply(*state, &exit, &event), -EALREADY);
    exit_at(*state, child, 10 * SECOND);
}

static void a_filtered_process_that_runs_another_program_is_seen_again(void **state)
{
    struct record filtered = record_of(EVENT_EXEC, shell, init, 6 * SECOND);
    struct event event;

    filtered.filtered = true;
    assert_int_equal(process_table_apply(*state, &filtered, &event), -ECANCELED);
    exec_at(*state, shell, init, 7 * SECOND, "/bin/id");
    exit_at(*state, shell, 8 * SECOND);
}

static void forked_children_share_their_parents_texts(void **state)
{
    CLEANUP(buffer_deinit) struct buffer argv = {0};
    struct record exec = record_of(EVENT_EXEC, shell, init, 5 * SECOND);
    struct event event;

    while (argv.len < 4000)
        buffer_put(&argv, "argument", 9);
    record_set_image(&exec, "/bin/sh", buffer_text(&argv));
    apply(*state, &exec, &event);
    uint64_t before = count(*state).bytes;

    for (int64_t i = 0; i < 100; i++)
        fork_at(*state, (struct identity){1000 + i, 6 * SECOND + i}, shell, 6 * SECOND + i);
    assert_in_range(count(*state).bytes - before, 100 * sizeof(struct process), 100 * 2000);
    assert_memory_equal(
        process_table_find(*state, (struct identity){1050, 6 * SECOND + 50})->argv.ptr, argv.data,
        argv.len);
}

/* Limits so small that a test reaches them. */
static struct process_table *small_table(size_t entries, size_t exited, size_t bytes)
{
    struct process_table_options options = {
        .entries_max = entries, .exited_max = exited, .bytes_max = bytes, .proc = empty_proc()};
    struct process_table *table = NULL;

    assert_int_equal(process_table_new(&options, &table), 0);
    return table;
}

static void the_longest_exited_go_first_and_parents_stay(void **state)
{
    CLEANUP(process_table_freep) struct process_table *table = small_table(100, 2, 0);
    struct identity other = {400, 8 * SECOND}, last = {500, 8 * SECOND + 1};

    exec_at(table, shell, nobody, 5 * SECOND, "/bin/sh");
    fork_at(table, child, shell, 6 * SECOND);
    fork_at(table, grandchild, child, 7 * SECOND);
    fork_at(table, other, shell, 8 * SECOND);
    fork_at(table, last, shell, 8 * SECOND + 1);
    exit_at(table, child, 9 * SECOND); /* a parent: does not count */
    exit_at(table, other, 10 * SECOND);
    exit_at(table, last, 11 * SECOND);
    assert_int_equal(count(table).exited, 3);
    assert_int_equal(count(table).retired, 0);
    exit_at(table, grandchild, 12 * SECOND);
    assert_null(process_table_find(table, other));
    assert_non_null(process_table_find(table, last));
    assert_int_equal(process_table_find(table, grandchild)->parent->pid, 200);
    exit_at(table, shell, 13 * SECOND);
    assert_int_equal(count(table).retired, 1);
    exit_at(table, (struct identity){600, 14 * SECOND}, 15 * SECOND);
    exit_at(table, (struct identity){601, 14 * SECOND}, 16 * SECOND);
    /* last, grandchild, and with them those that were their ancestors */
    assert_int_equal(count(table).exited, 2);
    assert_int_equal(count(table).retired, 5);
    assert_int_equal(count(table).evicted, 0);
    assert_int_equal(count(table).live, 0);
}

static void live_ones_go_by_last_use_and_are_counted(void **state)
{
    CLEANUP(process_table_freep) struct process_table *table = small_table(3, 0, 0);
    struct record exec = record_of(EVENT_EXEC, child, shell, 20 * SECOND);
    struct event event;

    exec_at(table, shell, nobody, 5 * SECOND, "/bin/sh");
    exec_at(table, child, nobody, 6 * SECOND, "/bin/child");
    exec_at(table, grandchild, nobody, 7 * SECOND, "/bin/other");
    exec_at(table, shell, nobody, 8 * SECOND, "/bin/sh");
    exec_at(table, init, nobody, 9 * SECOND, "/sbin/init");
    assert_null(process_table_find(table, child));
    assert_non_null(process_table_find(table, shell));
    assert_int_equal(count(table).evicted, 1);
    assert_int_equal(count(table).live, 3);
    /* Now the shell becomes a parent: its child pushes out others, never it. */
    record_set_image(&exec, "/bin/child", ARGV("child"));
    apply(table, &exec, &event);
    assert_text(event.process->parent->exe, "/bin/sh");
    assert_null(process_table_find(table, grandchild));
    exec_at(table, grandchild, nobody, 21 * SECOND, "/bin/other");
    assert_null(process_table_find(table, init));
    assert_int_equal(process_table_find(table, child)->parent->pid, 100);
    assert_int_equal(count(table).evicted, 3);
}

static void memory_stays_within_its_limit(void **state)
{
    CLEANUP(process_table_freep) struct process_table *table = small_table(0, 0, 200000);
    CLEANUP(buffer_deinit) struct buffer argv = {0};
    struct event event;

    while (argv.len < 3000)
        buffer_put(&argv, "argument", 9);
    for (int64_t i = 1; i < 1000; i++) {
        struct record exec = record_of(EVENT_EXEC, (struct identity){i, i}, nobody, i);

        record_set_image(&exec, "/bin/sh", buffer_text(&argv));
        apply(table, &exec, &event);
        assert_in_range(count(table).bytes, 1, 200000);
        assert_int_equal(event.process->argv.len, argv.len);
    }
    assert_in_range(count(table).live, 30, 60);
    assert_int_equal(count(table).live + count(table).evicted, 999);
}

static unsigned ancestors_of(const struct process *process)
{
    unsigned n = 0;

    for (; process->parent; process = process->parent)
        n++;
    return n;
}

static void a_daemon_that_goes_on_by_forking_does_not_fill_the_table(void **state)
{
    struct identity before = shell;

    exec_at(*state, shell, nobody, 5 * SECOND, "/bin/daemon");
    for (int64_t i = 1; i <= 10000; i++) {
        struct identity next = {1000 + i, 6 * SECOND + i};

        fork_at(*state, next, before, 6 * SECOND + i);
        exit_at(*state, before, 6 * SECOND + i);
        before = next;
        unsigned ancestors = ancestors_of(process_table_find(*state, next));

        assert_in_range(ancestors, i < ANCESTOR_MAX ? i : ANCESTOR_MAX, 2 * ANCESTOR_MAX);
    }
    assert_int_equal(count(*state).live, 1);
    assert_in_range(count(*state).exited, ANCESTOR_MAX,
                    2 * ANCESTOR_MAX + PROCESS_TABLE_EXITED_MAX);
}

static void deep_lines_of_live_processes_stay_whole(void **state)
{
    struct identity before = shell;

    exec_at(*state, shell, nobody, 5 * SECOND, "/bin/sh");
    for (int64_t i = 1; i <= 1000; i++) {
        struct identity next = {1000 + i, 6 * SECOND + i};

        fork_at(*state, next, before, 6 * SECOND + i);
        before = next;
    }
    assert_int_equal(ancestors_of(process_table_find(*state, before)), 1000);
    assert_int_equal(count(*state).live, 1001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exec_event_has_the_records_fields_and_the_tables),
        TEST(a_forked_child_runs_its_parents_image_until_it_execs),
        TEST(the_terminal_is_what_the_last_record_says),
        TEST(a_failed_exec_shows_the_caller_and_the_attempt),
        TEST(an_exit_tells_code_or_signal_and_the_time_lived),
        TEST(a_repeated_exit_is_no_event),
        TEST(a_record_of_nobody_is_refused),
        TEST(the_parent_that_forked_stays_when_it_exits_first),
        TEST(who_made_a_process_is_its_parent),
        TEST(a_late_fork_corrects_the_parent_and_nothing_else),
        TEST(parents_never_form_a_ring),
        TEST(a_pid_used_again_is_another_process),
        TEST(long_arguments_are_whole_in_their_event_and_cut_after),
        TEST(a_long_environment_is_whole_in_its_event_and_cut_after),
        TEST(credentials_follow_every_record),
        TEST(a_move_makes_the_cgroups_path_unknown),
        TEST(the_age_of_an_executable_is_never_negative),
        TEST(every_number_has_its_name),
        TEST(a_filtered_program_makes_no_events_but_ancestors),
        TEST(a_filtered_process_that_runs_another_program_is_seen_again),
        TEST(forked_children_share_their_parents_texts),
        cmocka_unit_test(the_longest_exited_go_first_and_parents_stay),
        cmocka_unit_test(live_ones_go_by_last_use_and_are_counted),
        cmocka_unit_test(memory_stays_within_its_limit),
        TEST(a_daemon_that_goes_on_by_forking_does_not_fill_the_table),
        TEST(deep_lines_of_live_processes_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, remove_empty_proc);
}
