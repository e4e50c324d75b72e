#include "process/process_event.h"

#include <string.h>
#include <sys/wait.h>

static void set_number(struct event *event, enum field_id id, int64_t *member, int64_t value)
{
    *member = value;
    field_set_add(&event->has, id);
}

static void set_exit(struct event *event, const struct record *record)
{
    int status = (int)record->exit_status;

    if (WIFSIGNALED(status))
        set_number(event, FIELD_EXIT_SIGNAL, &event->exit_signal, WTERMSIG(status));
    else
        set_number(event, FIELD_EXIT_CODE, &event->exit_code, WEXITSTATUS(status));
    set_number(event, FIELD_RETVAL, &event->retval, WEXITSTATUS(status));
    set_number(event, FIELD_DURATION, &event->duration, record->boot_time - record->self.start);
}

static void set_error(struct event *event, const struct record *record)
{
    const char *name = strerrorname_np((int)-record->retval);

    set_number(event, FIELD_RETVAL, &event->retval, record->retval);
    if (name) {
        event->error = text_from(name);
        field_set_add(&event->has, FIELD_ERROR);
    }
}

void process_event_make(const struct record *record, const struct process *process, int64_t offset,
                        struct event *out)
{
    *out = (struct event){
        .type = record->type,
        .type_name = text_from(event_type_name(record->type)),
        .is_exit = record->type == EVENT_EXIT,
        .process = process,
        .origin = {0, record->cpu, record->sequence},
    };
    field_set_add(&out->has, FIELD_TYPE);
    field_set_add(&out->has, FIELD_IS_EXIT);
    set_number(out, FIELD_TIME, &out->time, record->boot_time + offset);
    if (record->type == EVENT_EXEC)
        set_number(out, FIELD_RETVAL, &out->retval, 0);
    else if (record->type == EVENT_EXEC_FAILED)
        set_error(out, record);
    else if (record->type == EVENT_EXIT)
        set_exit(out, record);
}
