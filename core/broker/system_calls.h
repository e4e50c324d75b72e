/* Which system calls a process may make from now on: an allow-list. */
#ifndef PICKET_BROKER_SYSTEM_CALLS_H
#define PICKET_BROKER_SYSTEM_CALLS_H

#include <seccomp.h>
#include <stddef.h>

/* The kernel reads flags and requests as 32 bits: so must a filter, or upper bits pass it by. */
#define CALL_LOW_WORD 0xffffffffU

/* Calls that are allowed, by their names with a space between: always, or, with `compares`,
 * whenever all of these hold. A name may stand in several rules; names that this machine does not
 * have are passed over. */
struct call_rule {
    const char *names;
    struct scmp_arg_cmp compares[2];
};

/* Compares that hold when the argument's MASK bits are VALUE. */
#define CALL_BITS(argument, mask, value)                \
    {                                                   \
        (argument), SCMP_CMP_MASKED_EQ, (mask), (value) \
    }

/* Of open flags: nothing is made, changed or written. */
#define CALL_READING(argument) CALL_BITS(argument, O_ACCMODE | O_CREAT | O_TRUNC, 0)

/* Every thread of the process, and what they start, gets -ENOSYS for all other calls, as if the
 * kernel were older: a C library knows what to do then, and who watches must not die of a surprise.
 * -errno. */
int system_calls_allow(const struct call_rule *rules, size_t count);

#endif
