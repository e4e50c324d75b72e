#include "rule/number_table.h"

#include <errno.h>
#include <stdlib.h>

int number_table_init(struct number_table *table, size_t count)
{
    *table = (struct number_table){0};
    if (count == 0)
        return 0;
    table->equal.items = calloc(count, sizeof *table->equal.items);
    table->at_least.items = calloc(count, sizeof *table->at_least.items);
    table->at_most.items = calloc(count, sizeof *table->at_most.items);
    if (table->equal.items && table->at_least.items && table->at_most.items)
        return 0;
    number_table_deinit(table);
    return -ENOMEM;
}

void number_table_deinit(struct number_table *table)
{
    free(table->equal.items);
    free(table->at_least.items);
    free(table->at_most.items);
    *table = (struct number_table){0};
}

static void append(struct number_bounds *bounds, int64_t number, uint32_t id)
{
    bounds->items[bounds->count++] = (struct number_bound){number, id};
}

void number_table_add(struct number_table *table, const struct predicate *predicate, uint32_t id)
{
    int64_t number = predicate->number;

    switch (predicate->op) {
    case PREDICATE_EQUAL:
        append(&table->equal, number, id);
        break;
    case PREDICATE_LESS: /* than the least number, none is */
        if (number > INT64_MIN)
            append(&table->at_most, number - 1, id);
        break;
    case PREDICATE_LESS_EQUAL:
        append(&table->at_most, number, id);
        break;
    case PREDICATE_GREATER:
        if (number < INT64_MAX)
            append(&table->at_least, number + 1, id);
        break;
    default:
        append(&table->at_least, number, id);
    }
}

static int compare(const void *left, const void *right)
{
    const struct number_bound *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

static void sort(struct number_bounds *bounds)
{
    if (bounds->count)
        qsort(bounds->items, bounds->count, sizeof *bounds->items, compare);
}

void number_table_sort(struct number_table *table)
{
    sort(&table->equal);
    sort(&table->at_least);
    sort(&table->at_most);
}

/* The first that is not below NUMBER. */
static size_t search(const struct number_bounds *bounds, int64_t number)
{
    size_t low = 0, high = bounds->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bounds->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t number_table_find(const struct number_table *table, int64_t number, uint32_t *out)
{
    const struct number_bounds *equal = &table->equal, *least = &table->at_least;
    const struct number_bounds *most = &table->at_most;
    size_t count = 0;

    for (size_t i = search(equal, number); i < equal->count && equal->items[i].number == number;)
        out[count++] = equal->items[i++].id;
    for (size_t i = 0; i < least->count && least->items[i].number <= number;)
        out[count++] = least->items[i++].id;
    for (size_t i = most->count; i > 0 && most->items[i - 1].number >= number;)
        out[count++] = most->items[--i].id;
    return count;
}
