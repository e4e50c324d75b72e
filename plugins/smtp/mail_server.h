/* The server that mails with alerts are handed to: a connection for each. */
#ifndef PICKET_PLUGIN_MAIL_SERVER_H
#define PICKET_PLUGIN_MAIL_SERVER_H

#include "../curl_session/curl_session.h"
#include "mail.h"

enum security { SECURITY_ALWAYS, SECURITY_OFFERED, SECURITY_NEVER };

/* The user's. */
struct config {
    const char *server;
    const char *from;
    const char *const *to;
    const char *subject;
    const char *user;
    const char *password;
    const char *ca;
    int64_t every;
    int tls;
};

struct mail_server {
    struct curl_session session;
    const struct config *config;
    struct mail_form form;
    struct curl_slist *recipients;
    struct text_buffer mail;
    size_t sent;  /* bytes of it */
    long refusal; /* the server's last, 0: none, and what it said: */
    char reply[512];
    size_t reply_len;
    char told[CURL_SESSION_REASON]; /* of a refusal, though a mail went out */
};

/* Zeroed before. A negative number after an error was logged; mail_server_close() even then. */
int mail_server_open(struct mail_server *server, const struct picket_host *host,
                     const struct config *config);
void mail_server_close(struct mail_server *server);

enum outcome {
    OUTCOME_TAKEN,
    OUTCOME_LATER,    /* whatever the mail is: who sends it, or to whom */
    OUTCOME_BROKEN,   /* over the mail, and perhaps because of it */
    OUTCOME_REFUSED,  /* the mail, for good */
    OUTCOME_TOO_LARGE /* which a server may say before it has it */
};

/* Sends COUNT alerts in one mail. Why it was not taken is in *REASON, until the next. */
enum outcome mail_server_send(struct mail_server *server, const struct picket_alert *const *alerts,
                              size_t count, const char **reason);

#endif
