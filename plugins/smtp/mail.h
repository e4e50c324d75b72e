/* Alerts as a mail: RFC 5322 and MIME, lines ended by CRLF, all of it ASCII. Nothing that is from
 * outside gets into the header but encoded. */
#ifndef PICKET_PLUGIN_MAIL_H
#define PICKET_PLUGIN_MAIL_H

#include "../text_buffer/text_buffer.h"
#include "picket/plugin.h"

struct mail_form {
    const struct picket_host *host;
    const char *from;
    const char *const *to; /* NULL behind the last */
    bool lines;            /* the alerts' texts are lines of the user's making, not objects */
    const char *subject;   /* %{PATH} is what an alert has there, %% a percent sign */
};

/* Whether TEXT is an address: ASCII, one @, nothing that needs quotes. */
bool mail_is_address(const char *text);

/* Whether TEXT can be a subject: what is begun with %{ ends, and a % is nothing else. */
bool mail_is_subject(const char *text);

/* Puts a mail of COUNT alerts, sent at TIME (seconds since 1970), into MAIL, which is cleared
 * before; *MAIL is failed when out of memory. Within a callback, for the host's sake. */
void mail_put(const struct mail_form *form, const struct picket_alert *const *alerts, size_t count,
              long long time, struct text_buffer *mail);

/* What mail_put() is made of, for tests: LEN bytes as quoted-printable; a text as a header has it,
 * encoded words if need be. */
void mail_put_body(struct text_buffer *mail, const char *text, size_t len);
void mail_put_header_text(struct text_buffer *mail, const char *text);

#endif
