/* Programs of 32 bits: one that is started, one that starts another, and the system calls of 32
 * bits out of a program of 64. The entry and exit tracepoints of execve see none of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#ifdef __x86_64__

#define LOAD_AT 0x10000000

/* A program of 32 bits that executes PATH with one argument, and ends with 9 when that fails. */
struct __attribute__((packed)) program {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version, entry, segments, sections, flags;
    uint16_t header_size, segment_size, segment_count, section_size, section_count, names;
    uint32_t segment_type, offset, address, physical, file_size, memory_size, access, align;
    unsigned char code[28];
    uint32_t argv[2];
    char argument[8], path[512];
};

#define AT(member) (uint32_t)(LOAD_AT + offsetof(struct program, member))

static void program_fill(struct program *program, const char *path)
{
    *program = (struct program){
        .ident = {0x7f, 'E', 'L', 'F', 1, 1, 1},
        .type = 2,
        .machine = 3,
        .version = 1,
        .entry = AT(code),
        .segments = offsetof(struct program, segment_type),
        .header_size = 52,
        .segment_size = 32,
        .segment_count = 1,
        .segment_type = 1,
        .address = LOAD_AT,
        .file_size = sizeof *program,
        .memory_size = sizeof *program,
        .access = 7,
        .align = 4096,
        /* mov eax, 11; mov ebx, path; mov ecx, argv; xor edx, edx; int 0x80;
         * mov al, 1; mov bl, 9; int 0x80 */
        .code = {0xb8, 11,   0,    0,    0,    0xbb, 0, 0, 0, 0, 0xb9, 0, 0,    0,
                 0,    0x31, 0xd2, 0xcd, 0x80, 0xb8, 1, 0, 0, 0, 0xb3, 9, 0xcd, 0x80},
        .argv = {AT(argument), 0},
        .argument = "of-32",
    };
    memcpy(program->code + 6, &(uint32_t){AT(path)}, 4);
    memcpy(program->code + 11, &(uint32_t){AT(argv)}, 4);
    strncpy(program->path, path, sizeof program->path - 1);
}

static void program_make(const char *name, const char *path)
{
    CLEANUP(closep) int fd = open(stage_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    struct program program;

    program_fill(&program, path);
    assert_int_equal(write(fd, &program, sizeof program), sizeof program);
}

/* CONFIG_IA32_EMULATION, and no ia32_emulation=0. */
static void check_emulation(void)
{
    int status;

    program_make("is-there", "/no/such/program");
    pid_t pid = fork();

    if (pid == 0) {
        execv(stage_path("is-there"), (char *const *)just_witness);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    if (WEXITSTATUS(status) != 9)
        stage_skip("the kernel runs no programs of 32 bits");
}

/* It is started, and starts the witness itself. */
static void test_program_of_32_bits(void **state)
{
    const char *argv[] = {"first", "-x", NULL};
    struct start start = {stage_path("of-32"), argv};
    struct testimony said;

    check_emulation();
    program_make("of-32", stage_witness());
    stage_play(trick_execve, &start, &said);
    const struct sighting *first = stage_find(EVENT_EXEC, said.truth.pid, 0);
    const struct sighting *second = stage_find(EVENT_EXEC, said.truth.pid, 1);
    struct process expected = stage_expect(&said);

    assert_non_null(first);
    assert_non_null(second);
    assert_true(text_ends(first->process.exe, TEXT("/of-32")));
    stage_assert_text(first->process.filename, start.filename);
    stage_assert_text(stage_argument(first, 1), "-x");
    assert_int_equal(first->process.argc, 2);
    stage_assert_fields(&second->process, &expected);
    stage_assert_text(stage_argument(second, 0), "of-32");
}

/* What it fails to start is a failure of its, and seen when asked for. */
static void test_failure_of_32_bits(void **state)
{
    struct start start = {stage_path("fails"), just_witness};
    pid_t pid;

    check_emulation();
    stage_stop();
    stage_start_with(&(struct sensor_options){.failures = SENSOR_FAILURES_ALL});
    program_make("fails", "/no/such/program");
    assert_int_equal(WEXITSTATUS(stage_play_mute(trick_execve, &start, &pid)), 9);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, pid, 0);

    assert_non_null(failed);
    assert_int_equal(failed->record.retval, -ENOENT);
    stage_assert_text(failed->process.filename, "/no/such/program");
    stage_assert_text(stage_argument(failed, 0), "of-32");
    assert_true(text_ends(failed->process.exe, TEXT("/fails")));
}

/* The same door out of a program of 64 bits. */
static int trick_int80(void *argument)
{
    struct program *low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long r = 11;

    program_fill(low, stage_witness());
    low->argv[0] = (uint32_t)(uintptr_t)low->argument;
    __asm__ volatile("int $0x80"
                     : "+a"(r)
                     : "b"(low->path), "c"(low->argv), "d"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
}

static void test_door_of_32_bits(void **state)
{
    struct testimony said;

    check_emulation();
    stage_play(trick_int80, NULL, &said);
    stage_assert_text(stage_argument(stage_assert_true(&said), 0), "of-32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_of_32_bits),
        cmocka_unit_test(test_failure_of_32_bits),
        cmocka_unit_test(test_door_of_32_bits),
    };

    return STAGE_RUN("compat", tests);
}

#else

int main(void)
{
    fputs("skipped: programs of 32 bits are played on x86 only\n", stderr);
    return SCENE_SKIPPED;
}

#endif
