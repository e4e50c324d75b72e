#include "contract.h"

#include "rig.h"

#include "output/plugin_trial.h"

static void on_check(void *context, const char *check, const char *failure, struct text said)
{
    unsigned *passed = context;

    *passed += failure == NULL;
    if (failure)
        print_error("%s: %s\n%.*s", check, failure, TEXT_ARG(said));
}

void contract_expect(const char *argument, unsigned least)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct output_config *configs;
    unsigned passed = 0;
    size_t count;

    assert_int_equal(0, output_config_parse(&argument, 1, &arena, &diags, &configs, &count));
    assert_int_equal(1, count);
    assert_int_equal(0, plugin_trial_run(&(struct plugin_trial){
                            .config = configs, .report = on_check, .context = &passed}));
    assert_true(passed >= least);
}
