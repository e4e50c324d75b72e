/* Passwords and tokens among the arguments of a program, by what programs take them with:
 * `--password X`, `--db-pass=X`, `API_KEY=X`, and short options of programs that are known for them
 * (`mysql -pX`, `curl -u user:X`).
 *
 * Arguments are shown one after another; a reader of arguments is a small state that begins as
 * zero but for its classes. Nothing here allocates. */
#ifndef PICKET_PRESENTATION_SECRET_ARGUMENT_H
#define PICKET_PRESENTATION_SECRET_ARGUMENT_H

#include "presentation/secret_pattern.h"

enum secret_class { SECRET_PASSWORDS = 1 << 0, SECRET_TOKENS = 1 << 1 };

struct secret_program;

struct secret_arguments {
    unsigned classes; /* of enum secret_class */
    const struct secret_program *program;
    bool in_login; /* `docker login`: only there -p is a password */
    bool expects;  /* the next argument is a secret, or what stands in it behind SEPARATOR */
    char separator;
};

/* Looks at the next argument: whether there is a secret in it, and where. */
bool secret_arguments_next(struct secret_arguments *arguments, struct text argument,
                           struct secret_span *out);

/* Cuts the next word off *REST as a shell would: where there is a space outside of quotes, or
 * ; | & ( ) < > or a backtick. Quotes around all of it are left out. ptr NULL: there is none. */
struct text secret_word_next(struct text *rest);

#endif
