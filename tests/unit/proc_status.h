/* What /proc/PID/status says of a process, for tests of what it has given up. */
#ifndef PICKET_TESTS_PROC_STATUS_H
#define PICKET_TESTS_PROC_STATUS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The rest of the line that begins with "KEY:", without white space around it, in LINE; "" when
 * there is none. */
static inline const char *proc_status(pid_t pid, const char *key, char line[static 256])
{
    char path[64];
    size_t len = strlen(key);

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    char *found = NULL;

    while (file && !found && fgets(line, 256, file))
        if (strncmp(line, key, len) == 0 && line[len] == ':')
            found = line + len + 1 + strspn(line + len + 1, " \t");
    if (file)
        fclose(file);
    if (!found)
        return "";
    found[strcspn(found, "\n")] = '\0';
    for (char *end = found + strlen(found); end > found && end[-1] == ' ';)
        *--end = '\0';
    return found;
}

/* How many descriptors it has open; -1 when that may not be known. */
static inline int proc_descriptors(pid_t pid)
{
    char path[64];
    int count = -1;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *dir = opendir(path);

    for (count = dir ? 0 : -1; dir; count++) {
        const struct dirent *entry = readdir(dir);

        while (entry && entry->d_name[0] == '.')
            entry = readdir(dir);
        if (!entry)
            break;
    }
    if (dir)
        closedir(dir);
    return count;
}

#endif
