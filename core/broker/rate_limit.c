#include "broker/rate_limit.h"

#include <errno.h>
#include <stdlib.h>

int rate_limit_init(struct rate_limit *rate, size_t limit, int64_t window)
{
    *rate = (struct rate_limit){.limit = limit, .window = window};
    rate->times = calloc(limit ? limit : 1, sizeof *rate->times);
    return rate->times ? 0 : -ENOMEM;
}

void rate_limit_deinit(struct rate_limit *rate)
{
    free(rate->times);
    *rate = (struct rate_limit){0};
}

bool rate_limit_allows(const struct rate_limit *rate, int64_t now)
{
    if (rate->limit == 0)
        return false;
    int64_t oldest = rate->times[rate->next];

    return oldest == 0 || now - oldest >= rate->window;
}

void rate_limit_count(struct rate_limit *rate, int64_t now)
{
    rate->times[rate->next] = now;
    rate->next = (rate->next + 1) % rate->limit;
}
