#include "alert/correlation_link.h"

struct correlation_share *correlation_share_new(struct correlation_memory *memory,
                                                struct correlation_record *record)
{
    struct correlation_share *share = correlation_memory_take(memory, sizeof *share);

    if (!share)
        return NULL;
    share->references = 1;
    share->record = correlation_record_hold(record);
    if (record)
        correlation_memory_charge(memory, record->bytes);
    return share;
}

static struct correlation_share *hold_share(struct correlation_share *share)
{
    share->references++;
    return share;
}

void correlation_share_release(struct correlation_memory *memory, struct correlation_share *share)
{
    if (!share || --share->references > 0)
        return;
    if (share->record)
        correlation_memory_discharge(memory, share->record->bytes);
    correlation_record_release(share->record);
    correlation_memory_give(memory, share);
}

struct correlation_link *correlation_link_new(struct correlation_memory *memory, uint32_t member,
                                              struct correlation_moment moment,
                                              struct correlation_share *share)
{
    struct correlation_link *link = correlation_memory_take(memory, sizeof *link);

    if (!link)
        return NULL;
    link->references = 1;
    link->member = member;
    link->moment = moment;
    link->share = hold_share(share);
    return link;
}

struct correlation_link *correlation_link_hold(struct correlation_link *link)
{
    if (link)
        link->references++;
    return link;
}

void correlation_link_release(struct correlation_memory *memory, struct correlation_link *link)
{
    if (!link || --link->references > 0)
        return;
    correlation_share_release(memory, link->share);
    correlation_memory_give(memory, link);
}

void correlation_link_release_chain(struct correlation_memory *memory,
                                    struct correlation_link *link)
{
    while (link && link->references == 1) {
        struct correlation_link *before = link->before;

        correlation_link_release(memory, link);
        link = before;
    }
    correlation_link_release(memory, link);
}

void correlation_link_forget(struct correlation_memory *memory, struct correlation_link *link)
{
    correlation_share_release(memory, link->share);
    link->share = NULL;
}
