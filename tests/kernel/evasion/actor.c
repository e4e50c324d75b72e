/* A program that, once it runs, makes itself look like another one, then starts a child.
 *     actor DISGUISE WITNESS
 * Its status says which disguise did not work: 2 the name, 3 the command line, 4 the executable; 5:
 * the kernel has no way to do it. */
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORGED "/usr/sbin/sshd -D"

static int name_forge(void)
{
    return prctl(PR_SET_NAME, "sshd") < 0 ? 2 : 0;
}

static int cmdline_check(void)
{
    char cmdline[sizeof FORGED] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, cmdline, sizeof cmdline - 1);

    close(fd);
    return len < 0 || strcmp(cmdline, FORGED) != 0 ? 3 : 0;
}

/* As setproctitle(3) does: over the arguments themselves. They are longer than what is put there.
 */
static int cmdline_overwrite(char **argv)
{
    memcpy(argv[0], FORGED, sizeof FORGED);
    return cmdline_check();
}

/* What the kernel keeps of our memory, from /proc/self/stat (field numbers as in proc(5)). */
static int map_read(struct prctl_mm_map *map)
{
    char stat[1024] = "";
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), number = 2;
    unsigned long long fields[53] = {0};

    if (read(fd, stat, sizeof stat - 1) < 0)
        return -1;
    close(fd);
    for (char *at = strrchr(stat, ')'); at && number < 52; at = strchr(at + 1, ' '))
        fields[number++] = strtoull(at + 1, NULL, 10);
    *map = (struct prctl_mm_map){
        .start_code = fields[26],
        .end_code = fields[27],
        .start_data = fields[45],
        .end_data = fields[46],
        .start_brk = fields[47],
        .brk = (unsigned long)sbrk(0),
        .start_stack = fields[28],
        .arg_start = fields[48],
        .arg_end = fields[49],
        .env_start = fields[50],
        .env_end = fields[51],
        .exe_fd = (__u32)-1,
    };
    return 0;
}

static int map_set(const struct prctl_mm_map *map)
{
    return prctl(PR_SET_MM, PR_SET_MM_MAP, map, sizeof *map, 0);
}

/* By telling the kernel that the arguments are elsewhere. */
static int cmdline_move(void)
{
    char *forged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct prctl_mm_map map;

    memcpy(forged, FORGED, sizeof FORGED);
    if (map_read(&map) < 0)
        return 3;
    map.arg_start = (unsigned long)forged;
    map.arg_end = map.arg_start + sizeof FORGED;
    return map_set(&map) < 0 ? 3 : cmdline_check();
}

/* Replaces one mapping of the executable by the same bytes in memory of nobody's. This very code
 * may be in it: mremap(2) swaps the pages at once. */
static int mapping_detach(char *from, size_t len, int protection)
{
    void *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (copy == MAP_FAILED)
        return -1;
    memcpy(copy, from, len);
    if (mprotect(copy, len, protection) < 0)
        return -1;
    return mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, from) == MAP_FAILED ? -1 : 0;
}

/* The kernel lets nobody change the executable of whom it is mapped in. */
static int image_detach(void)
{
    char exe[4096] = "", line[8192], access[5], path[4096];
    char *from[16], *to[16];
    int protection[16], count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    if (!maps || readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
        return -1;
    while (count < 16 && fgets(line, sizeof line, maps)) {
        void *begin, *end;

        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
        if (sscanf(line, "%p-%p %4s %*s %*s %*s %4095s", &begin, &end, access, path) != 4 ||
            strcmp(path, exe) != 0)
            continue;
        from[count] = begin;
        to[count] = end;
        protection[count++] = (access[0] == 'r' ? PROT_READ : 0) |
                              (access[1] == 'w' ? PROT_WRITE : 0) |
                              (access[2] == 'x' ? PROT_EXEC : 0);
    }
    fclose(maps);
    for (int i = 0; i < count; i++)
        if (mapping_detach(from[i], (size_t)(to[i] - from[i]), protection[i]) < 0)
            return -1;
    return 0;
}

static int exe_forge(const char *other)
{
    char exe[4096] = "";
    struct prctl_mm_map map;
    int fd = open(other, O_RDONLY | O_CLOEXEC);

    if (map_read(&map) < 0 || image_detach() < 0)
        return 4;
    map.exe_fd = (__u32)fd;
    if (map_set(&map) < 0 || readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
        return 4;
    close(fd);
    return strcmp(exe, other) == 0 ? 0 : 4;
}

static int disguise(char **argv, const char *witness)
{
    switch (argv[1][0]) {
    case 'n':
        return name_forge();
    case 'o':
        return cmdline_overwrite(argv);
    case 'm':
        return cmdline_move();
    default:
        return exe_forge(witness);
    }
}

/* PR_SET_MM_MAP needs CONFIG_CHECKPOINT_RESTORE. */
static int has_map(void)
{
    unsigned size = 0;

    return prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0 &&
           size == sizeof(struct prctl_mm_map);
}

int main(int argc, char **argv)
{
    static char witness[4096]; /* the disguise may be over the arguments */
    char *child[] = {"witness", NULL};

    snprintf(witness, sizeof witness, "%s", argv[argc - 1]);
    int needs_map = argv[1][0] == 'm' || argv[1][0] == 'e';
    int r = needs_map && !has_map() ? 5 : disguise(argv, witness);
    pid_t pid = fork();

    if (pid == 0) {
        execv(witness, child);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    return r;
}
