#include "rule_fixture.h"

#include "rule/shape.h"
#include "rule/witness.h"

#define PREDICATES 6

/* "a" to "f", of comm; the later, the rarer. */
struct world {
    struct arena arena;
    struct predicate_table predicates;
    struct expression_table expressions;
    const struct expression *leaves[PREDICATES];
    bool unusable[PREDICATES];
};

static void world_init(struct world *world)
{
    *world = (struct world){0};
    world->predicates.arena = world->expressions.arena = &world->arena;
    for (size_t i = 0; i < PREDICATES; i++) {
        struct predicate wanted = {.ref = {.field = field_find(TEXT("comm"))},
                                   .op = PREDICATE_CONTAINS,
                                   .text = {"abcdef", i + 1}};
        const struct predicate *predicate;
        struct regex_failure failure;

        assert_int_equal(predicate_table_add(&world->predicates, &wanted, &predicate, &failure), 0);
        world->leaves[i] = expression_of(&world->expressions, predicate);
    }
}

static void world_deinit(struct world *world)
{
    expression_table_deinit(&world->expressions);
    predicate_table_deinit(&world->predicates);
    arena_deinit(&world->arena);
}

static const struct expression *no(struct world *world, const struct expression *item)
{
    return expression_not(&world->expressions, item);
}

static const struct expression *all(struct world *world, const struct expression *a,
                                    const struct expression *b)
{
    return expression_all(&world->expressions, (const struct expression *[]){a, b}, 2);
}

static const struct expression *any(struct world *world, const struct expression *a,
                                    const struct expression *b)
{
    return expression_any(&world->expressions, (const struct expression *[]){a, b}, 2);
}

/* The witness as the letters of its predicates, in order; "none". */
static void assert_witness(struct world *world, const struct expression *expression,
                           const char *expected)
{
    CLEANUP(witness_maker_deinit) struct witness_maker maker;
    struct witness witness;
    bool in[PREDICATES] = {0};
    char letters[PREDICATES + 1] = {0};
    size_t count = 0;

    assert_int_equal(witness_maker_init(&maker, world->expressions.count, world->unusable), 0);
    assert_int_equal(witness_derive(&maker, expression, &witness), 0);
    if (!witness.exists) {
        assert_string_equal("none", expected);
        return;
    }
    for (size_t i = 0; i < witness.count; i++)
        in[witness.predicates[i]->index] = true;
    for (size_t i = 0; i < PREDICATES; i++)
        if (in[i])
            letters[count++] = (char)('a' + i);
    assert_string_equal(letters, expected);
}

static void test_derivation(void **state)
{
    CLEANUP(world_deinit) struct world world;

    world_init(&world);
    const struct expression *a = world.leaves[0], *b = world.leaves[1], *c = world.leaves[2];
    const struct expression *e = world.leaves[4];

    assert_witness(&world, a, "a");
    assert_witness(&world, no(&world, a), "none");
    assert_witness(&world, all(&world, a, c), "c");
    assert_witness(&world, any(&world, a, c), "ac");
    assert_witness(&world, any(&world, a, no(&world, c)), "none");
    assert_witness(&world, all(&world, a, no(&world, c)), "a");
    assert_witness(&world, all(&world, any(&world, c, e), b), "ce");
    assert_witness(&world, all(&world, any(&world, a, e), b), "b");
    assert_witness(&world, no(&world, any(&world, no(&world, a), b)), "a");
    assert_witness(&world, no(&world, all(&world, no(&world, a), no(&world, b))), "ab");
    assert_witness(&world, no(&world, all(&world, no(&world, a), b)), "none");
    assert_witness(&world, expression_all(&world.expressions, NULL, 0), "none");
    assert_witness(&world, expression_any(&world.expressions, NULL, 0), "");
}

static void test_unusable(void **state)
{
    CLEANUP(world_deinit) struct world world;

    world_init(&world);
    world.unusable[2] = true;
    assert_witness(&world, world.leaves[2], "none");
    assert_witness(&world, all(&world, world.leaves[0], world.leaves[2]), "a");
    assert_witness(&world, any(&world, world.leaves[0], world.leaves[2]), "none");
}

static uint32_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*random >> 33);
}

static const struct expression *make(struct world *world, uint64_t *random, unsigned depth)
{
    switch (depth ? next_random(random) % 4 : 3) {
    case 0:
        return no(world, make(world, random, depth - 1));
    case 1:
        return all(world, make(world, random, depth - 1), make(world, random, depth - 1));
    case 2:
        return any(world, make(world, random, depth - 1), make(world, random, depth - 1));
    default:
        return world->leaves[next_random(random) % PREDICATES];
    }
}

static bool is_true(const struct expression *expression, unsigned assignment)
{
    bool whole = expression->kind == EXPRESSION_ALL;

    switch (expression->kind) {
    case EXPRESSION_NEVER:
    case EXPRESSION_ALWAYS:
        return expression->kind == EXPRESSION_ALWAYS;
    case EXPRESSION_PREDICATE:
        return assignment >> expression->predicate->index & 1;
    case EXPRESSION_NOT:
        return !is_true(expression->items[0], assignment);
    default:
        for (size_t i = 0; i < expression->count; i++)
            if (is_true(expression->items[i], assignment) != whole)
                return !whole;
        return whole;
    }
}

static void check_soundness(struct world *world, const struct expression *expression,
                            unsigned *witnessed)
{
    CLEANUP(witness_maker_deinit) struct witness_maker maker;
    struct witness witness;

    assert_int_equal(witness_maker_init(&maker, world->expressions.count, world->unusable), 0);
    assert_int_equal(witness_derive(&maker, expression, &witness), 0);
    if (!witness.exists)
        return;
    ++*witnessed;
    for (unsigned assignment = 0; assignment < 1U << PREDICATES; assignment++) {
        bool seen = !is_true(expression, assignment);

        for (size_t i = 0; !seen && i < witness.count; i++)
            seen = assignment >> witness.predicates[i]->index & 1;
        assert_true(seen);
    }
}

/* Whatever the expression and whichever predicates hold. */
static void test_soundness(void **state)
{
    CLEANUP(world_deinit) struct world world;
    uint64_t random = 1;
    unsigned witnessed = 0;

    world_init(&world);
    for (unsigned i = 0; i < 3000; i++) {
        world.unusable[next_random(&random) % PREDICATES] = next_random(&random) % 4 == 0;
        check_soundness(&world, make(&world, &random, 5), &witnessed);
    }
    assert_in_range(witnessed, 500, 2900);
}

static void test_shape(void **state)
{
    static const struct {
        const char *regex;
        size_t literal;
        uint64_t positions;
    } shapes[] = {
        {"nginx", 5, 5},
        {"(ba|da|z|k)?sh", 2, 8},
        {"a{3}", 1, 3},
        {"(ab{2,4}){100}", 2, 500},
        {"(a{1000}){1000}", 1, 1000000},
        {"[a-z]*\\.conf", 5, 6},
        {"curl|wget", 4, 8},
        {"(?:curl|wg)x", 2, 7},
        {"(?=curl)x", 1, 5},
        {"a{,5}", 5, 5},
        {"", 0, 0},
    };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct shape shape = shape_of_regex(text_from(shapes[i].regex));

        print_message("%s\n", shapes[i].regex);
        assert_int_equal(shape.literal, shapes[i].literal);
        assert_true(shape.positions >= shapes[i].positions);
        assert_true(shape.positions <= shapes[i].positions + 3);
    }
    assert_int_equal(shape_of_glob(TEXT("/usr/*/x?")).literal, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivation),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_soundness),
        cmocka_unit_test(test_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
