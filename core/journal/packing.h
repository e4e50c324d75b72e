/* An alert's JSON as the journal has it. One of some length is packed: what LZ4 makes of it with an
 * earlier alert, its template, as dictionary. Alerts of one machine have most of their text in
 * common: a storm takes a tenth of its room and of the time to write it, or less.
 *
 * A text in the column `json` is the JSON; a blob is packed: four bytes, little-endian, with the
 * JSON's length, and a block as LZ4 has it. The column `template` then is the number of the row in
 * `templates` that it was packed with. */
#ifndef PICKET_JOURNAL_PACKING_H
#define PICKET_JOURNAL_PACKING_H

#include <sqlite3.h>

#include "base/buffer.h"

/* What is shorter is never packed. */
#define PACKING_LEAST 1024

/* No alert is longer: a blob that says so is damaged. */
#define PACKING_MOST (64 << 20)

/* Who writes. Zeroed: it has no template yet. */
struct packer {
    /* LZ4's: with the template looked through, and the copy of it that an alert is packed by. */
    void *loaded, *stream;
    struct buffer template, out;
    int64_t number; /* of the template; 0: none */
    unsigned poor;  /* how many in a row it did little for */
};

void packer_deinit(struct packer *packer);

/* The next one long enough begins another template. */
void packer_forget(struct packer *packer);

/* Whether JSON, of the alert SEQ, is to be packed: then it has a template. *BEGINS: the template is
 * new, and to be kept by its number with what is packed from now on. */
bool packer_prepare(struct packer *packer, int64_t seq, struct text json, bool *begins);

/* After packer_prepare(): the packed JSON, valid until the next. False: it is better kept as it is.
 */
bool packer_pack(struct packer *packer, struct text json, struct text *out);

/* Who reads. Zeroed; LOOKUP asks for a template's text by its number. */
#define UNPACKER_LOOKUP "SELECT json FROM templates WHERE number = ?1"

struct unpacker {
    struct buffer template, out;
    int64_t number; /* of the template that was looked up last; 0: none */
};

void unpacker_deinit(struct unpacker *unpacker);
void unpacker_forget(struct unpacker *unpacker);

/* The JSON of a row whose column AT is `json` and the next `template`, valid until the next or
 * until the row is left. LOOKUP may be NULL when it could not be prepared. -EUCLEAN: it is damaged;
 * -ENOMEM. */
int unpacker_read(struct unpacker *unpacker, sqlite3_stmt *lookup, sqlite3_stmt *row, int at,
                  struct text *out);

#endif
