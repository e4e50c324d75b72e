#include "sensor/sensor_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "exec.skel.h"
#include "sensor/doorbell.h"
#include "sensor/hooks.h"
#include "sensor/ring_set.h"
#include "wire.h"

_Static_assert(SENSOR_RING_LEAST / 2 >= WIRE_RECORD_MAX, "a ring has room for any record");
_Static_assert((int)WIRE_EXEC == EVENT_EXEC && (int)WIRE_EXEC_FAILED == EVENT_EXEC_FAILED &&
                   (int)WIRE_EXIT == EVENT_EXIT && (int)WIRE_FORK == EVENT_FORK &&
                   WIRE_TYPES == SENSOR_TYPES,
               "counters by type are the same on both sides");

#define LOG_SIZE (16 << 20)

/* How long sensor_flush() waits for records in the making. */
#define BUSY_MAX NS_PER_S

struct sensor {
    struct exec_bpf *skeleton;
    struct hooks hooks;
    struct ring_set rings;
    struct doorbell doorbell;
    struct wire_cpu *cpus; /* mapped, one for each possible CPU */
    size_t cpus_size;
    struct wire_witness *witnesses; /* the same; NULL when there is one program for each hook */
    size_t witnesses_size;
    struct record_scratch scratch;
    uint64_t received[SENSOR_TYPES], refused, starved;
};

/* Whom a read hands to, for the ring set. */
struct handover {
    struct sensor *sensor;
    const struct sensor_reader *reader;
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
    return 0;
}

/* Major and minor of the running kernel. */
static void read_kernel_version(unsigned *major, unsigned *minor)
{
    struct utsname name;

    *major = *minor = 0;
    if (uname(&name) == 0)
        sscanf(name.release, "%u.%u", major, minor); /* NOLINT(cert-err34-c): 0 will do */
}

static bool has_word(const char *path, const char *word)
{
    CLEANUP(fclosep) FILE *file = fopen(path, "re");
    char line[256] = "";

    return file && fgets(line, sizeof line, file) && strstr(line, word);
}

static int check_kernel(struct buffer *why)
{
    unsigned major, minor;

    read_kernel_version(&major, &minor);
    if (major < 5 || (major == 5 && minor < 10)) {
        buffer_printf(why, "Linux %u.%u is too old: 5.10 or later is needed", major, minor);
        return -ENOSYS;
    }
    if (access("/sys/kernel/btf/vmlinux", R_OK) < 0) {
        buffer_put_string(why, "there is no /sys/kernel/btf/vmlinux: mount sysfs on /sys, or use a "
                               "kernel built with CONFIG_DEBUG_INFO_BTF");
        return -ENOENT;
    }
    return 0;
}

/* The last line of the kernel's log that is not its statistics, as the reason of a refusal. */
static struct text find_reason(const char *log)
{
    struct text rest = text_from(log), reason = TEXT("no reason given");

    while (rest.ptr) {
        struct text line = text_trim(text_split(&rest, '\n'));

        if (line.len > 0 && !text_starts(line, TEXT("processed ")) &&
            !text_starts(line, TEXT("verification time")) &&
            !text_starts(line, TEXT("stack depth")))
            reason = line;
    }
    return reason;
}

static void explain_load(int error, const char *log, struct buffer *why)
{
    if (has_word("/sys/kernel/security/lockdown", "[confidentiality]"))
        buffer_put_string(why,
                          "the kernel is locked down for confidentiality, which forbids BPF to "
                          "read its memory: boot with lockdown=integrity");
    else if ((error == -EPERM || error == -EACCES) && log[0] == '\0')
        buffer_put_string(why, "loading BPF programs is not permitted: run as root, or with "
                               "CAP_BPF and CAP_PERFMON");
    else
        buffer_printf(why, "the kernel refused a BPF program: %s (%.*s)", strerror(-error),
                      TEXT_ARG(find_reason(log)));
}

static void explain_rings(int error, const char *what, size_t size, struct buffer *why)
{
    if (error == -EPERM)
        buffer_printf(why,
                      "rings of %zu KiB a CPU are not permitted (%s): run as root, or with "
                      "CAP_BPF and CAP_PERFMON; below Linux 5.11, 'ulimit -l' holds for them",
                      size / 1024, what);
    else
        buffer_printf(why, "rings of %zu KiB a CPU cannot be opened: %s: %s", size / 1024, what,
                      strerror(-error));
}

/* For each of COUNT rings. */
static size_t default_ring_size(unsigned count)
{
    size_t wanted = SENSOR_RING_DEFAULT_MIN;
    struct sysinfo info;

    if (sysinfo(&info) < 0)
        return wanted;
    size_t memory = (size_t)info.totalram * info.mem_unit;

    if (wanted < memory / 1024 / count)
        wanted = memory / 1024 / count;
    if (wanted > SENSOR_RING_DEFAULT_MAX)
        wanted = SENSOR_RING_DEFAULT_MAX;
    if (wanted > memory / SENSOR_RING_PART / count)
        wanted = memory / SENSOR_RING_PART / count;
    return wanted;
}

static size_t choose_ring_size(const struct sensor_options *options)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = options->ring_size;

    if (wanted == 0)
        wanted = default_ring_size(online > 0 ? (unsigned)online : 1);
    wanted = wanted < SENSOR_RING_LEAST ? SENSOR_RING_LEAST : wanted;
    wanted = wanted > SENSOR_RING_MOST ? SENSOR_RING_MOST : wanted;
    while (size <= wanted / 2)
        size *= 2;
    return size;
}

/* Settings that the kernel side has as constants. */
static void set_constants(struct exec_bpf *skeleton, const struct sensor_options *options)
{
    unsigned major, minor;

    read_kernel_version(&major, &minor);
    enum hooks_choice choice = major >= 7 ? HOOKS_BOTH : HOOKS_BTF;
    enum sensor_failures failures = options->failures;

    /* The classic programs need a helper that is there from 5.15 on. */
    if (failures == SENSOR_FAILURES_NATIVE && (major < 5 || (major == 5 && minor < 15)))
        failures = SENSOR_FAILURES_ALL;
    hooks_select(skeleton, options->classic ? HOOKS_CLASSIC : choice, failures);
    skeleton->rodata->has_rdonly_cast = major > 6 || (major == 6 && minor >= 2);
    skeleton->rodata->argv_limit = options->argv_limit == 0 || options->argv_limit > SENSOR_ARGV_MAX
                                       ? SENSOR_ARGV_MAX
                                       : options->argv_limit;
    skeleton->rodata->env_limit = options->environment_count > 0 ? SENSOR_ENV_MAX : 0;
    skeleton->rodata->has_budget = !options->without_budget;
    filters_prepare(skeleton, options->filters, options->filter_count);
}

static int load_skeleton(struct sensor *sensor, const struct sensor_options *options,
                         unsigned count, struct buffer *why)
{
    CLEANUP(buffer_deinit) struct buffer memory = {0};
    char *log = buffer_reserve(&memory, LOG_SIZE);
    LIBBPF_OPTS(bpf_object_open_opts, open_options, .kernel_log_buf = log,
                .kernel_log_size = LOG_SIZE);

    if (!log)
        return -ENOMEM;
    log[0] = '\0';
    sensor->skeleton = exec_bpf__open_opts(&open_options);
    if (!sensor->skeleton) {
        int r = -errno;

        buffer_printf(why, "the BPF programs cannot be opened: %s", strerror(-r));
        return r;
    }
    set_constants(sensor->skeleton, options);
    bpf_map__set_max_entries(sensor->skeleton->maps.cpus, count);
    bpf_map__set_max_entries(sensor->skeleton->maps.scratches, count);
    bpf_map__set_max_entries(sensor->skeleton->maps.rings, count);
    bpf_map__set_max_entries(sensor->skeleton->maps.witnesses, count);
    int r = exec_bpf__load(sensor->skeleton);

    if (r < 0) {
        explain_load(r, log, why);
        return r;
    }
    r = filters_install(sensor->skeleton, options->filters, options->filter_count);
    if (r < 0)
        buffer_printf(why, "what is excluded cannot be told the kernel: %s", strerror(-r));
    return r;
}

/* Maps an array of COUNT values of *SIZE bytes; *SIZE becomes that of all of it. MAP_FAILED. */
static void *map_array(const struct bpf_map *map, unsigned count, size_t *size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    *size = (count * *size + page - 1) / page * page;
    return mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
}

static int map_cpus(struct sensor *sensor, unsigned count)
{
    const struct exec_bpf *skeleton = sensor->skeleton;

    sensor->cpus_size = sizeof(struct wire_cpu);
    void *memory = map_array(skeleton->maps.cpus, count, &sensor->cpus_size);

    if (memory == MAP_FAILED)
        return -errno;
    sensor->cpus = memory;
    sensor->rings.cpus = memory;
    if (!skeleton->rodata->has_witnesses)
        return 0;
    sensor->witnesses_size = sizeof(struct wire_witness);
    memory = map_array(skeleton->maps.witnesses, count, &sensor->witnesses_size);
    if (memory == MAP_FAILED)
        return -errno;
    sensor->witnesses = memory;
    return 0;
}

/* Tells the kernel side which ring is whose. */
static int install_rings(const struct sensor *sensor)
{
    for (unsigned cpu = 0; cpu < sensor->rings.count; cpu++) {
        const struct bpf_ring *ring = &sensor->rings.rings[cpu];

        sensor->cpus[cpu].ring_size = ring->size;
        if (bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.rings), &cpu, &ring->fd,
                                BPF_ANY) < 0)
            return -errno;
    }
    return 0;
}

static int open_rings(struct sensor *sensor, unsigned count, size_t size, struct buffer *why)
{
    struct ring_sizes sizes = {size, SENSOR_RING_LEAST < size ? SENSOR_RING_LEAST : size};
    const char *what = "";
    int r = ring_set_open(&sensor->rings, count, &sizes, &what);

    if (r == 0)
        r = doorbell_open(&sensor->doorbell, &sensor->skeleton->bss->reader_asleep, &what);
    if (r == 0)
        r = doorbell_hang(&sensor->doorbell, bpf_map__fd(sensor->skeleton->maps.bell),
                          WIRE_BELL_SIZE, &what);
    if (r == 0) {
        what = "BPF map";
        r = map_cpus(sensor, count);
    }
    if (r == 0)
        r = install_rings(sensor);
    if (r < 0)
        explain_rings(r, what, size, why);
    return r;
}

static int start_sensor(struct sensor *sensor, const struct sensor_options *options,
                        struct buffer *why)
{
    int r = check_kernel(why);

    if (r < 0)
        return r;
    int count = libbpf_num_possible_cpus();

    if (count < 0) {
        buffer_printf(why, "the number of CPUs cannot be read: %s", strerror(-count));
        return count;
    }
    sensor->scratch.environment = options->environment;
    sensor->scratch.environment_count = options->environment_count;
    r = load_skeleton(sensor, options, (unsigned)count, why);
    if (r == 0)
        r = open_rings(sensor, (unsigned)count, choose_ring_size(options), why);
    if (r == 0)
        r = hooks_attach(&sensor->hooks, sensor->skeleton, why);
    return r;
}

int sensor_open(const struct sensor_options *options, struct buffer *why, struct sensor **out)
{
    struct sensor *sensor = calloc(1, sizeof *sensor);

    if (!sensor)
        return -ENOMEM;
    sensor->doorbell = (struct doorbell){.epoll = -1, .timer = -1, .bell.fd = -1};
    libbpf_set_print(print_nothing); /* what is the matter, WHY says */
    int r = start_sensor(sensor, options, why);

    if (r < 0) {
        sensor_close(sensor);
        return r;
    }
    *out = sensor;
    return 0;
}

void sensor_close(struct sensor *sensor)
{
    if (!sensor)
        return;
    hooks_detach(&sensor->hooks);
    doorbell_deinit(&sensor->doorbell);
    ring_set_deinit(&sensor->rings);
    if (sensor->cpus)
        munmap(sensor->cpus, sensor->cpus_size);
    if (sensor->witnesses)
        munmap(sensor->witnesses, sensor->witnesses_size);
    exec_bpf__destroy(sensor->skeleton);
    record_scratch_deinit(&sensor->scratch);
    free(sensor);
}

int sensor_fd(const struct sensor *sensor)
{
    return sensor->doorbell.epoll;
}

static void hand_over(void *context, const void *bytes, size_t len)
{
    struct handover *handover = context;
    struct sensor *sensor = handover->sensor;
    struct record record;
    const char *why;

    int r = record_decode(bytes, len, &sensor->scratch, &record, &why);

    if (r < 0) {
        *(r == -ENOMEM ? &sensor->starved : &sensor->refused) += 1;
        return;
    }
    sensor->received[record.type]++;
    handover->reader->on_record(handover->reader->context, &record);
}

static void hand_gap(void *context, const struct gap *gap)
{
    const struct handover *handover = context;

    if (handover->reader->on_gap)
        handover->reader->on_gap(handover->reader->context, gap);
}

size_t sensor_read(struct sensor *sensor, const struct sensor_reader *reader)
{
    struct handover handover = {sensor, reader};

    doorbell_answer(&sensor->doorbell);
    size_t records =
        ring_set_read(&sensor->rings, &(struct ring_set_reader){hand_over, hand_gap, &handover});

    doorbell_wait(&sensor->doorbell, &sensor->rings, records);
    return records;
}

/* Waits until no program makes a record any more: first for those that have begun and not yet said
 * so. They do that with preemption off, and a global barrier waits until every CPU has had it on.
 * One that was preempted before then finds that we are closed. */
static void await_programs(const struct sensor *sensor)
{
    int64_t deadline = clock_monotonic() + BUSY_MAX;

    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
        usleep(10000); /* a kernel with nohz_full has none */
    while (ring_set_busy(&sensor->rings) && clock_monotonic() < deadline)
        usleep(100);
}

size_t sensor_flush(struct sensor *sensor, const struct sensor_reader *reader)
{
    struct handover handover = {sensor, reader};

    hooks_detach(&sensor->hooks);
    __atomic_store_n(&sensor->skeleton->bss->witnesses_closed, 1, __ATOMIC_SEQ_CST);
    await_programs(sensor);
    return ring_set_flush(&sensor->rings,
                          &(struct ring_set_reader){hand_over, hand_gap, &handover});
}

bool sensor_is_online(const struct sensor *sensor, unsigned cpu)
{
    return cpu < sensor->rings.count && !sensor->rings.places[cpu].late;
}

unsigned sensor_cpu_count(const struct sensor *sensor)
{
    return sensor->rings.count;
}

static void add_types(uint64_t sums[SENSOR_TYPES], const __u64 counts[SENSOR_TYPES])
{
    for (int type = 0; type < SENSOR_TYPES; type++)
        sums[type] += __atomic_load_n(&counts[type], __ATOMIC_RELAXED);
}

uint64_t sensor_count(const uint64_t counts[SENSOR_TYPES])
{
    uint64_t sum = 0;

    for (int type = 0; type < SENSOR_TYPES; type++)
        sum += counts[type];
    return sum;
}

/* 0 when the subtrahend was read later and has overtaken. */
static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void sensor_counters(const struct sensor *sensor, struct sensor_counters *out)
{
    struct hooks_skips skips =
        hooks_count_skips(sensor->skeleton, sensor->witnesses, sensor->rings.count);

    *out = (struct sensor_counters){
        .refused = sensor->refused,
        .starved = sensor->starved,
        .seen = ring_set_seen(&sensor->rings),
        .gaps = sensor->rings.gaps,
        .unseen = __atomic_load_n(&sensor->skeleton->bss->unseen, __ATOMIC_RELAXED),
        .recursion_misses = skips.missed,
        .witnessed = skips.witnessed,
    };
    for (int type = 0; type < SENSOR_TYPES; type++)
        out->received[type] = sensor->received[type];
    for (unsigned cpu = 0; cpu < sensor->rings.count; cpu++) {
        const struct wire_cpu *wire = &sensor->cpus[cpu];

        add_types(out->emitted, wire->emitted);
        add_types(out->lost, wire->lost);
        add_types(out->filtered, wire->filtered);
        add_types(out->folded, wire->folded);
        out->faults += __atomic_load_n(&wire->faults, __ATOMIC_RELAXED);
    }
    out->waiting = difference(sensor_count(out->emitted), out->seen);
    out->discarded = difference(out->gaps, sensor_count(out->lost));
}
