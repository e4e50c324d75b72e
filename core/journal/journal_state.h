/* What the journal's own sources share: journal.c has its life, journal_transaction.c what is
 * written, journal_query.c what is asked. */
#ifndef PICKET_JOURNAL_JOURNAL_STATE_H
#define PICKET_JOURNAL_JOURNAL_STATE_H

#include "journal/database.h"
#include "journal/journal.h"
#include "journal/journal_keeper.h"
#include "journal/packing.h"
#include "journal/raise_count.h"

struct journal {
    struct journal_options options;
    struct journal_keeper keeper;
    struct database database;
    struct raise_count raised;
    struct packer packer;
    struct unpacker unpacker;
    int lock;
    bool was_open;  /* in this run: the numbers go on */
    bool has_begun; /* the run: numbers are given */
    bool damaged;   /* to be set aside */
    int64_t number; /* of this journal among others: `state`.`journal` */
    int64_t last;
    uint64_t accounted;
    struct journal_loss loss;
    uint64_t set_aside;
    int64_t next_look;
    /* Of the transaction. */
    int failure;
    int64_t tx_last;
    uint64_t tx_accounted;
    bool tx_changes_state;
};

/* WHY is what journal_why() says from now on. Returns R. */
int journal_fail(struct journal *journal, int r, const char *why);

/* After R, a failure that is not of the caller's making: whether the database stays open. Returns
 * R. */
int journal_give_up(struct journal *journal, int r);

#endif
